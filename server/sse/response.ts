import type { TaskStream } from "@taskcast/core";

/** When and how a stream ends, besides by itself. */
export interface EventStreamOptions {
  /** The request that is answered. */
  request: Request;
  /** Unix milliseconds at which the reader's permission ends. */
  expiresAtMs?: number;
  /** Written before the first chunk. */
  preamble?: Uint8Array;
  /** Told of the bytes that the socket takes. */
  onSent: (bytes: number) => void;
  /** Called once when the stream has ended, in whatever way. */
  onEnd?: () => void;
  /** Told of an error in the middle of the stream. */
  onError: (error: unknown) => void;
}

/** Headers of every SSE response: nothing on the way may store, change or hold back the stream. */
export const EVENT_STREAM_HEADERS: Readonly<Record<string, string>> = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-store, no-transform",
  "x-accel-buffering": "no",
};

// Of a client that went away some runtimes tell by cancelling the body, some by the request's signal,
// some by both. Deno always cancels, and its signal means something else: it also aborts when a
// response was delivered, with a warning for whoever touches it.
const LISTENS_TO_SIGNAL = !("Deno" in globalThis);

const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/**
 * Answers with a stream of SSE. The socket sets the pace: a chunk is asked for when there is room
 * for it, and until then the reader costs its position only.
 */
export function eventStreamResponse(
  stream: TaskStream<Uint8Array>,
  { request, expiresAtMs, preamble, onSent, onEnd, onError }: EventStreamOptions,
): Response {
  if (request.method === "HEAD") {
    stream.close();
    onEnd?.();
    return new Response(null, { headers: EVENT_STREAM_HEADERS });
  }
  // A stream must not outlive the token that opened it. The client comes back with a new one.
  const expiry = expiresAtMs === undefined
    ? undefined
    : setTimeout(() => stream.close(), Math.min(expiresAtMs - Date.now(), MAX_TIMEOUT_MS));
  const close = () => stream.close();
  const cleanUp = () => {
    clearTimeout(expiry);
    onEnd?.();
    if (LISTENS_TO_SIGNAL) request.signal.removeEventListener("abort", close);
  };
  if (LISTENS_TO_SIGNAL) request.signal.addEventListener("abort", close, { once: true });

  let first = preamble;
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (first !== undefined) {
        onSent(first.length);
        controller.enqueue(first);
        first = undefined;
        return;
      }
      try {
        const { value, done } = await stream.chunks.next();
        if (cancelled) return; // The client went away during the wait, and nobody takes anything.
        if (!done) {
          onSent(value.length);
          return controller.enqueue(value);
        }
        cleanUp();
        controller.close();
      } catch (error) {
        cleanUp();
        onError(error);
        controller.error(error); // Cuts the connection; the client goes on from its cursor.
      }
    },
    async cancel() {
      cancelled = true;
      cleanUp();
      stream.close();
      await stream.chunks.return();
    },
  }, { highWaterMark: 0 });
  return new Response(body, { headers: EVENT_STREAM_HEADERS });
}
