/** Minimum duration of a request in milliseconds. */
const MIN_MS = 20;

/**
 * Bounds the bytes and the duration of a request. At either bound it is ended to get its receipt.
 *
 * Only a receipt confirms events. If every connection breaks before a request is complete,
 * repeating a request of the same size makes no progress. So each broken request makes the next one
 * smaller, and each receipt makes it larger again.
 */
export class RequestBudget {
  readonly #maxBytes: number;
  readonly #maxMs: number;
  #bytes: number;
  #ms: number;

  /** @param max Largest request: bytes, and milliseconds from its first event to its end. */
  constructor(max: { bytes: number; ms: number }) {
    this.#maxBytes = this.#bytes = max.bytes;
    this.#maxMs = this.#ms = max.ms;
  }

  /** Bytes after which the request is ended; it has at least one event. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Milliseconds after its first event at which the request is ended. */
  get ms(): number {
    return this.#ms;
  }

  /**
   * Records that a request broke without a receipt.
   *
   * @param bytes Bytes that it had sent.
   * @param ms Milliseconds since its first event.
   */
  shrink(bytes: number, ms: number): void {
    this.#bytes = Math.max(1, Math.floor(Math.min(this.#bytes, bytes) / 4));
    this.#ms = Math.max(MIN_MS, Math.floor(Math.min(this.#ms, ms) / 4));
  }

  /** Records that a request got its receipt. */
  grow(): void {
    this.#bytes = Math.min(this.#maxBytes, this.#bytes * 2);
    this.#ms = Math.min(this.#maxMs, this.#ms * 2);
  }
}
