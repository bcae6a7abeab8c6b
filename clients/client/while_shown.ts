import { onAbort } from "@taskcast/core/protocol";
import type { Follow } from "./follow.ts";

/**
 * Returns a {@linkcode Follow} that pauses while the page is left. Connections, locks and channels
 * are closed at once, so that the browser may keep the page in its back/forward cache. When the
 * page is shown again, the stream continues from its cursor.
 */
export function whileShown(follow: Follow): Follow {
  if (!("document" in globalThis)) return follow;
  return async function* (request) {
    const { signal } = request;
    let { cursor } = request;
    for (;;) {
      const shown = new AbortController();
      let hidden: Promise<void> | undefined;
      const back = Promise.withResolvers<void>();
      const removeAbortListener = onAbort(signal, () => {
        shown.abort();
        back.resolve();
      });
      const removeHideListener = onPage("pagehide", () => {
        hidden ??= back.promise;
        shown.abort();
      });
      const removeShowListener = onPage("pageshow", back.resolve);
      try {
        for await (const message of follow({ ...request, cursor, signal: shown.signal })) {
          if (message.id !== undefined) cursor = message.id;
          yield message;
        }
        if (hidden === undefined) return;
        await hidden;
        if (signal?.aborted) return;
      } finally {
        removeAbortListener();
        removeHideListener();
        removeShowListener();
      }
    }
  };
}

function onPage(event: string, callback: () => void): () => void {
  addEventListener(event, callback);
  return () => removeEventListener(event, callback);
}
