import type { ChunkSource, ReadRequest, TaskStream } from "@taskcast/core/internal";
import { callAt } from "./call_at.ts";

/** Options of {@linkcode EventStream}. */
export interface EventStreamOptions {
  /** The request's signal; ends the stream. */
  signal?: AbortSignal;
  /** Unix milliseconds at which the reader's permission expires. */
  expiresAtMs?: number;
  /** Written before the first chunk. */
  preamble?: Uint8Array;
  /** Called with the number of bytes that the socket takes. */
  onSent: (bytes: number) => void;
  /** Called once when the stream has ended, for any reason. */
  onEnd?: () => void;
  /** Called with an error in the middle of the stream. */
  onError: (error: unknown) => void;
}

/**
 * The bytes of one SSE response, with what is counted and closed along with them. It is a single
 * small object: an idle reader costs what its stream holds.
 */
export class EventStream implements ChunkSource<Uint8Array>, ReadRequest<Uint8Array> {
  readonly #stream: TaskStream<Uint8Array>;
  readonly #onSent: (bytes: number) => void;
  readonly #onEnd?: () => void;
  readonly #onError: (error: unknown) => void;
  #preamble?: Uint8Array;
  #isCancelled = false;
  #hasEnded = false;
  #stopWatching?: () => void;
  /** The pending request for a chunk. */
  #request?: ReadRequest<Uint8Array>;

  constructor(
    stream: TaskStream<Uint8Array>,
    { signal, expiresAtMs, preamble, onSent, onEnd, onError }: EventStreamOptions,
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

  read(request: ReadRequest<Uint8Array>): void {
    if (this.#isCancelled) return; // A socket may still request a chunk.
    this.#request = request;
    const preamble = this.#preamble;
    if (preamble === undefined) return this.#stream.chunks.read(this);
    this.#preamble = undefined;
    this.onChunk(preamble);
  }

  /** Ends the stream because the client disconnected. */
  async cancel(): Promise<void> {
    if (this.#isCancelled) return;
    this.#isCancelled = true;
    this.#request = undefined;
    this.#end();
    this.#stream.close();
    try {
      await this.#stream.chunks.cancel();
    } catch (error) {
      this.#onError(error); // No caller receives the error.
    }
  }

  /** Called by the task's stream, like the two methods below. */
  onChunk(chunk: Uint8Array): void {
    const request = this.#answered();
    if (request === undefined) return; // The client disconnected meanwhile.
    this.#onSent(chunk.length);
    request.onChunk(chunk);
  }

  onEnd(): void {
    const request = this.#answered();
    if (request === undefined) return;
    this.#end();
    request.onEnd();
  }

  onError(error: unknown): void {
    const request = this.#answered();
    if (request === undefined) return;
    this.#end();
    this.#onError(error);
    request.onError(error);
  }

  #answered(): ReadRequest<Uint8Array> | undefined {
    const request = this.#request;
    this.#request = undefined;
    return request;
  }

  #end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#stopWatching?.();
    this.#onEnd?.();
  }
}

/**
 * Ends a stream when its client disconnects, and when the token that opened it expires: the client
 * then reconnects with a new one.
 *
 * @returns A function that removes both triggers.
 */
function closeEarly(
  stream: TaskStream<Uint8Array>,
  signal: AbortSignal | undefined,
  expiresAtMs: number | undefined,
): () => void {
  const close = () => stream.close();
  const stopClock = expiresAtMs === undefined ? undefined : callAt(expiresAtMs, close);
  signal?.addEventListener("abort", close, { once: true });
  return () => {
    stopClock?.();
    signal?.removeEventListener("abort", close);
  };
}
