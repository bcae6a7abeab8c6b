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
  const body = new EventStream(stream, {
    // Nothing that waits with the reader may hold the request.
    signal: LISTENS_TO_SIGNAL ? request.signal : undefined,
    expiresAtMs,
    preamble,
    onSent,
    onEnd,
    onError,
  });
  return new Response(new ReadableStream(body, { highWaterMark: 0 }), {
    headers: EVENT_STREAM_HEADERS,
  });
}

/** What a body reads from. One small object, since an idle reader costs what its stream holds. */
class EventStream implements UnderlyingDefaultSource<Uint8Array> {
  readonly #stream: TaskStream<Uint8Array>;
  readonly #onSent: (bytes: number) => void;
  readonly #onEnd?: () => void;
  readonly #onError: (error: unknown) => void;
  #preamble?: Uint8Array;
  #isCancelled = false;
  #stopWatching?: () => void;

  constructor(
    stream: TaskStream<Uint8Array>,
    { signal, expiresAtMs, preamble, onSent, onEnd, onError }:
      & Omit<EventStreamOptions, "request">
      & { signal?: AbortSignal },
  ) {
    this.#stream = stream;
    this.#preamble = preamble;
    this.#onSent = onSent;
    this.#onEnd = onEnd;
    this.#onError = onError;
    if (signal !== undefined || expiresAtMs !== undefined) {
      this.#stopWatching = closeEarly(stream, signal, expiresAtMs);
    }
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    if (this.#preamble !== undefined) {
      this.#onSent(this.#preamble.length);
      controller.enqueue(this.#preamble);
      this.#preamble = undefined;
      return;
    }
    try {
      const { value, done } = await this.#stream.chunks.next();
      // The client went away during the wait, and nobody takes anything.
      if (this.#isCancelled) return;
      if (!done) {
        this.#onSent(value.length);
        return controller.enqueue(value);
      }
      this.#end();
      controller.close();
    } catch (error) {
      this.#end();
      this.#onError(error);
      controller.error(error); // Cuts the connection; the client goes on from its cursor.
    }
  }

  async cancel(): Promise<void> {
    this.#isCancelled = true;
    this.#end();
    this.#stream.close();
    await this.#stream.chunks.return();
  }

  #end(): void {
    this.#stopWatching?.();
    this.#onEnd?.();
  }
}

/**
 * Ends a stream when its client is gone, and when the token that opened it expires: its client comes
 * back with a new one.
 *
 * @returns Lets it be.
 */
function closeEarly(
  stream: TaskStream<Uint8Array>,
  signal: AbortSignal | undefined,
  expiresAtMs: number | undefined,
): () => void {
  const close = () => stream.close();
  const expiry = expiresAtMs === undefined
    ? undefined
    : setTimeout(close, Math.min(expiresAtMs - Date.now(), MAX_TIMEOUT_MS));
  signal?.addEventListener("abort", close, { once: true });
  return () => {
    clearTimeout(expiry);
    signal?.removeEventListener("abort", close);
  };
}
