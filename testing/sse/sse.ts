import { createParser } from "eventsource-parser";

/** A frame of an SSE stream as a foreign client sees it. */
export interface Frame {
  event?: string;
  id?: string;
  // deno-lint-ignore no-explicit-any
  data: any;
}

/**
 * Reads the frames of a stream. Leaving the loop breaks the connection.
 *
 * @throws If the server does not answer with a stream.
 */
export async function* frames(
  url: string,
  { cursor, headers = {} }: { cursor?: string; headers?: Record<string, string> } = {},
): AsyncGenerator<Frame, void> {
  const controller = new AbortController();
  const response = await fetch(url, {
    headers: { ...headers, ...(cursor === undefined ? {} : { "last-event-id": cursor }) },
    signal: controller.signal,
  });
  if (response.status === 204) return;
  if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
  const waiting: Frame[] = [];
  const parser = createParser({
    onEvent: ({ event, id, data }) => waiting.push({ event, id, data: JSON.parse(data) }),
  });
  const decoder = new TextDecoder();
  const reader = response.body!.getReader();
  try {
    for (;;) {
      yield* waiting.splice(0);
      const { value, done } = await reader.read();
      if (done) return;
      parser.feed(decoder.decode(value, { stream: true }));
    }
  } finally {
    controller.abort();
    await reader.cancel().catch(() => {});
  }
}

/** Reads everything from a cursor through the end. */
export async function allFrames(url: string, cursor?: string): Promise<Frame[]> {
  return await Array.fromAsync(frames(url, { cursor }));
}

/** Waits until a condition holds. */
export async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const startMs = Date.now();
  while (!(await holds())) {
    const waitedMs = Date.now() - startMs;
    if (waitedMs > 20_000) throw new Error(`waited too long until ${what}`);
    // Checking takes CPU time from others, so it happens less often the longer the wait is.
    const pauseMs = Math.min(Math.max(5, waitedMs / 20), 50);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
