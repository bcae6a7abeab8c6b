/** Minimum milliseconds of a request, however short-lived connections are. */
const MIN_MS = 20;

/**
 * Bounds how much one request carries before it is ended to get its receipt.
 *
 * Only a receipt confirms events. Where every connection breaks before a whole request is through,
 * repeating the same request makes no progress. So each broken request makes the next one smaller,
 * and each receipt makes it larger again.
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

  /** Bytes after which the request is ended; it carries at least one event. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Milliseconds after its first event at which the request is ended. */
  get ms(): number {
    return this.#ms;
  }

  /**
   * Records that a request broke without a receipt, after it had carried this much for this long.
   */
  shrink(bytes: number, ms: number): void {
    this.#bytes = Math.max(1, Math.floor(Math.min(this.#bytes, bytes) / 4));
    this.#ms = Math.max(MIN_MS, Math.floor(Math.min(this.#ms, ms) / 4));
  }

  /** Records that a request brought a receipt. */
  grow(): void {
    this.#bytes = Math.min(this.#maxBytes, this.#bytes * 2);
    this.#ms = Math.min(this.#maxMs, this.#ms * 2);
  }
}
