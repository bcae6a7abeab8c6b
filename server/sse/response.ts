import type { ChunkSource, ReadRequest, TaskStream } from "@taskcast/core/internal";
import type { EventStreamOptions } from "./event_stream.ts";
import { EventStream } from "./event_stream.ts";

const CONTENT_TYPE = "text/event-stream; charset=utf-8";

/**
 * Headers of every SSE response. They keep intermediaries from storing, changing or buffering the
 * stream.
 */
export const EVENT_STREAM_HEADERS: Readonly<Record<string, string>> = {
  "content-type": CONTENT_TYPE,
  "cache-control": "no-store, no-transform",
  "x-accel-buffering": "no",
};

// Some runtimes report a client's disconnect by cancelling the body, some by the request's signal,
// some by both. Deno always cancels. Its signal means something else: it also aborts after a
// response was delivered, with a warning for code that reads it.
const LISTENS_TO_SIGNAL = !("Deno" in globalThis);

/** The sources behind the bodies of our responses, for listeners that can bypass the body. */
const sources = new WeakMap<ReadableStream, ChunkSource<Uint8Array>>();

/**
 * Returns an SSE response. The socket sets the pace: a chunk is read when there is room for it, and
 * until then the reader costs only its position.
 */
export function eventStreamResponse(
  stream: TaskStream<Uint8Array>,
  { request, ...options }: Omit<EventStreamOptions, "signal"> & {
    /** The request to answer. */
    request: Request;
  },
): Response {
  if (request.method === "HEAD") {
    stream.close();
    options.onEnd?.();
    return new Response(null, { headers: EVENT_STREAM_HEADERS });
  }
  // The request must not be retained for as long as the stream is open.
  const signal = LISTENS_TO_SIGNAL ? request.signal : undefined;
  const source = new EventStream(stream, { signal, ...options });
  const body = new ReadableStream(new Body(source), { highWaterMark: 0 });
  sources.set(body, source);
  return new Response(body, { headers: EVENT_STREAM_HEADERS });
}

/**
 * Returns the stream behind a response of this package, for a listener that writes to sockets
 * itself. Reading from it instead of from the response's body costs less for each reader and event.
 * Read from one of the two only.
 *
 * @returns `undefined` for all other responses, and if the body was moved into another response.
 */
export function eventStreamOf(response: Response): ChunkSource<Uint8Array> | undefined {
  // On @hono/node-server, accessing a body converts it into a real one, which is slow.
  if (response.headers.get("content-type") !== CONTENT_TYPE) return undefined;
  const { body } = response;
  return body === null || body.locked ? undefined : sources.get(body);
}

/** Passes chunks on to a web stream. */
class Body implements UnderlyingDefaultSource<Uint8Array>, ReadRequest<Uint8Array> {
  readonly #source: ChunkSource<Uint8Array>;
  /** Set while a chunk is awaited. */
  #controller?: ReadableStreamDefaultController<Uint8Array>;

  constructor(source: ChunkSource<Uint8Array>) {
    this.#source = source;
  }

  pull(controller: ReadableStreamDefaultController<Uint8Array>): void {
    if (this.#controller !== undefined) return; // Several chunks were requested at once.
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

  /** Breaks the connection; the client resumes from its cursor. */
  onError(error: unknown): void {
    this.#answered().error(error);
  }

  #answered(): ReadableStreamDefaultController<Uint8Array> {
    const controller = this.#controller!;
    this.#controller = undefined;
    return controller;
  }
}
