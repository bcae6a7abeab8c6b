import { onAbort } from "@taskcast/core/protocol";
import type { Follow } from "./follow.ts";

/**
 * Follows while the page is shown. When the page is left, connections, locks and channels are
 * closed at once, so that the browser may keep the page for going back. When it is shown again, it
 * continues from its cursor.
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
      const forgetAbort = onAbort(signal, () => {
        shown.abort();
        back.resolve();
      });
      const forgetHide = onPage("pagehide", () => {
        hidden ??= back.promise;
        shown.abort();
      });
      const forgetShow = onPage("pageshow", back.resolve);
      try {
        for await (const message of follow({ ...request, cursor, signal: shown.signal })) {
          if (message.id !== undefined) cursor = message.id;
          yield message;
        }
        if (hidden === undefined) return;
        await hidden;
        if (signal?.aborted) return;
      } finally {
        forgetAbort();
        forgetHide();
        forgetShow();
      }
    }
  };
}

function onPage(event: string, callback: () => void): () => void {
  addEventListener(event, callback);
  return () => removeEventListener(event, callback);
}
