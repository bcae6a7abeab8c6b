/** Milliseconds that a request may take at least, however short-lived connections are. */
const MIN_MS = 20;

/**
 * How much one request may carry before it is ended for its receipt.
 *
 * Only a receipt confirms events. Where every connection breaks before a whole request is through,
 * sending the same again gets nowhere; so each request that breaks makes the next one smaller, and
 * each receipt makes it larger again.
 */
export class RequestBudget {
  readonly #maxBytes: number;
  readonly #maxMs: number;
  #bytes: number;
  #ms: number;

  /** @param max The largest request: bytes, and milliseconds from its first event to its end. */
  constructor(max: { bytes: number; ms: number }) {
    this.#maxBytes = this.#bytes = max.bytes;
    this.#maxMs = this.#ms = max.ms;
  }

  /** Bytes after which the request is ended; it carries one event at least. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Milliseconds after its first event at which the request is ended. */
  get ms(): number {
    return this.#ms;
  }

  /** A request broke without a receipt after it had carried so much for so long. */
  shrink(bytes: number, ms: number): void {
    this.#bytes = Math.max(1, Math.floor(Math.min(this.#bytes, bytes) / 4));
    this.#ms = Math.max(MIN_MS, Math.floor(Math.min(this.#ms, ms) / 4));
  }

  /** A request brought a receipt. */
  grow(): void {
    this.#bytes = Math.min(this.#maxBytes, this.#bytes * 2);
    this.#ms = Math.min(this.#maxMs, this.#ms * 2);
  }
}
