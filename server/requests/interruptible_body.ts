import type { ChunkSource } from "./chunk_source.ts";
import { chunkSource } from "./chunk_source.ts";
import { brokenBody } from "./parse.ts";

/** The next part of a body. A chunk is only valid until the next one is read. */
export type Next =
  | { kind: "chunk"; chunk: Uint8Array }
  | { kind: "done" }
  | { kind: "interrupted"; error: unknown };

/** A request's body that can stop waiting for more. */
export class InterruptibleBody {
  readonly #source?: ChunkSource;
  readonly #graceMs: number;
  #interrupted?: Next;
  #stopped?: Next;
  #timer?: ReturnType<typeof setTimeout>;
  #onInterrupted?: (next: Next) => void;

  /** @param graceMs How long an interrupted body still returns chunks that were on their way. */
  constructor(body: ReadableStream<Uint8Array> | null, { graceMs }: { graceMs: number }) {
    this.#source = body === null ? undefined : chunkSource(body);
    this.#graceMs = graceMs;
  }

  /** Stops reading, but returns chunks that arrive within a moment. */
  interrupt(error: unknown): void {
    this.#interrupted = { kind: "interrupted", error };
    this.#startTimer();
  }

  /** Stops reading at once: later chunks are dropped. */
  stop(error: unknown): void {
    this.#stopped = { kind: "interrupted", error };
    this.#onInterrupted?.(this.#stopped);
  }

  async next(): Promise<Next> {
    if (this.#stopped !== undefined) return this.#stopped;
    const source = this.#source;
    if (source === undefined) return { kind: "done" };
    if (this.#interrupted !== undefined) this.#startTimer();
    return await new Promise<Next>((resolve, reject) => {
      this.#onInterrupted = resolve;
      source.read().then(
        ({ value, done }) => resolve(done ? { kind: "done" } : { kind: "chunk", chunk: value }),
        (error) => reject(brokenBody(error)),
      );
    });
  }

  /** Cancels the rest of the body. */
  close(): void {
    clearTimeout(this.#timer);
    this.#source?.cancel().catch(() => {});
  }

  #startTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#onInterrupted?.(this.#interrupted!), this.#graceMs);
  }
}
