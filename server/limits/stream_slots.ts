import { rateLimited } from "./rate_limited.ts";

/**
 * Maximum numbers of open streams. Streams of readers and streams of producers, whose requests
 * publish lines, are counted separately, each up to these bounds: so readers never lock out
 * producers. `Infinity` means unlimited.
 */
export interface StreamLimits {
  /** Streams in total. @default {10000} */
  maxStreams?: number;
  /** Streams of one caller: a credential, or an address without credentials. @default {Infinity} */
  maxStreamsPerCredential?: number;
}

/** Milliseconds after which a client may retry. The end of a stream cannot be predicted. */
const RETRY_AFTER_MS = 5_000;

/** Counts open streams. Each slot is released exactly once, however often `release` is called. */
export class StreamSlots {
  readonly #what: string;
  readonly #maxStreams: number;
  readonly #maxPerCaller: number;
  // One entry for each caller with a stream, so `maxStreams` bounds it too.
  readonly #open = new Map<string, number>();
  readonly #refused = { ofCaller: 0, ofAll: 0 };
  #total = 0;

  /**
   * @param what The kind of streams, for messages.
   * @throws {TypeError} If a limit is not a whole number of at least 1, or `Infinity`.
   */
  constructor(
    { maxStreams = 10_000, maxStreamsPerCredential = Infinity }: StreamLimits = {},
    what = "streams",
  ) {
    this.#what = what;
    for (const [name, limit] of Object.entries({ maxStreams, maxStreamsPerCredential })) {
      if (limit !== Infinity && !(Number.isSafeInteger(limit) && limit >= 1)) {
        throw new TypeError(`${name} must be a whole number of at least 1, or Infinity`);
      }
    }
    this.#maxStreams = maxStreams;
    this.#maxPerCaller = maxStreamsPerCredential;
  }

  /** Number of open streams. */
  get open(): number {
    return this.#total;
  }

  /** Maximum number of open streams; may be `Infinity`. */
  get max(): number {
    return this.#maxStreams;
  }

  /** Number of streams refused so far, by the bound that was reached. */
  get refused(): Readonly<{ ofCaller: number; ofAll: number }> {
    return this.#refused;
  }

  /**
   * Takes a slot.
   *
   * @param caller The caller of the stream; if left out, only the total is counted.
   * @returns A function that releases the slot. Safe to call twice.
   * @throws {TaskcastError} `RATE_LIMITED`.
   */
  take(caller: string | undefined): () => void {
    const own = caller === undefined ? 0 : this.#open.get(caller) ?? 0;
    if (own >= this.#maxPerCaller) {
      this.#refused.ofCaller++;
      throw rateLimited(
        `The caller has ${own} open ${this.#what}, and no more are allowed: close one`,
        RETRY_AFTER_MS,
        `${this.#what} of the caller`,
      );
    }
    if (this.#total >= this.#maxStreams) {
      this.#refused.ofAll++;
      throw rateLimited(
        `The server has reached its limit of open ${this.#what}`,
        RETRY_AFTER_MS,
        this.#what,
      );
    }
    this.#total++;
    if (caller !== undefined) this.#open.set(caller, own + 1);
    let taken = true;
    return () => {
      if (!taken) return;
      taken = false;
      this.#total--;
      if (caller === undefined) return;
      const left = this.#open.get(caller)! - 1;
      if (left === 0) this.#open.delete(caller);
      else this.#open.set(caller, left);
    };
  }
}
