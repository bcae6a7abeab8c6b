import type { ChunkSource, ReadRequest, TaskStream } from "@taskcast/core/internal";
import type { EventStreamOptions } from "./event_stream.ts";
import { EventStream } from "./event_stream.ts";

const CONTENT_TYPE = "text/event-stream; charset=utf-8";

/** Headers of every SSE response: nothing on the way may store, change or hold back the stream. */
export const EVENT_STREAM_HEADERS: Readonly<Record<string, string>> = {
  "content-type": CONTENT_TYPE,
  "cache-control": "no-store, no-transform",
  "x-accel-buffering": "no",
};

// Of a client that went away some runtimes tell by cancelling the body, some by the request's
// signal, some by both. Deno always cancels, and its signal means something else: it also aborts
// when a response was delivered, with a warning for whoever touches it.
const LISTENS_TO_SIGNAL = !("Deno" in globalThis);

/** Sources of our response bodies, for listeners that bypass the body. */
const sources = new WeakMap<ReadableStream, ChunkSource<Uint8Array>>();

/**
 * Answers with a stream of SSE. The socket sets the pace: a chunk is asked for when there is room
 * for it, and until then the reader costs its position only.
 */
export function eventStreamResponse(
  stream: TaskStream<Uint8Array>,
  { request, ...options }: Omit<EventStreamOptions, "signal"> & {
    /** The request that is answered. */
    request: Request;
  },
): Response {
  if (request.method === "HEAD") {
    stream.close();
    options.onEnd?.();
    return new Response(null, { headers: EVENT_STREAM_HEADERS });
  }
  // Nothing that waits with the reader may hold the request.
  const signal = LISTENS_TO_SIGNAL ? request.signal : undefined;
  const source = new EventStream(stream, { signal, ...options });
  const body = new ReadableStream(new Body(source), { highWaterMark: 0 });
  sources.set(body, source);
  return new Response(body, { headers: EVENT_STREAM_HEADERS });
}

/**
 * The stream of an answer of this package, for a listener that writes to sockets itself: it may
 * read from there instead of the response's body, which costs it less for each reader and event.
 * Not to be read from both.
 *
 * @returns `undefined` for all other responses, also where the body was put into another one.
 */
export function eventStreamOf(response: Response): ChunkSource<Uint8Array> | undefined {
  // On @hono/node-server a body that is looked at is made into a real one, which takes a while.
  if (response.headers.get("content-type") !== CONTENT_TYPE) return undefined;
  const { body } = response;
  return body === null || body.locked ? undefined : sources.get(body);
}

/** Gives what it reads to a web stream. */
class Body implements UnderlyingDefaultSource<Uint8Array>, ReadRequest<Uint8Array> {
  readonly #source: ChunkSource<Uint8Array>;
  /** Set while a chunk is waited for. */
  #controller?: ReadableStreamDefaultController<Uint8Array>;

  constructor(source: ChunkSource<Uint8Array>) {
    this.#source = source;
  }

  pull(controller: ReadableStreamDefaultController<Uint8Array>): void {
    if (this.#controller !== undefined) return; // Asked for several chunks at once.
    this.#controller = controller;
    this.#source.read(this);
  }

  cancel(): Promise<void> {
    return this.#source.cancel();
  }

  onChunk(chunk: Uint8Array): void {
    this.#answered().enqueue(chunk);
  }

  onEnd(): void {
    this.#answered().close();
  }

  /** Cuts the connection; the client goes on from its cursor. */
  onError(error: unknown): void {
    this.#answered().error(error);
  }

  #answered(): ReadableStreamDefaultController<Uint8Array> {
    const controller = this.#controller!;
    this.#controller = undefined;
    return controller;
  }
}
