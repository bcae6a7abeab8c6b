import { rateLimited } from "./rate_limited.ts";

/**
 * How many streams may be open: of readers, and as many again of producers, whose requests publish
 * lines. They are counted apart, so that readers in any number keep no producer out. `Infinity` is any
 * number.
 */
export interface StreamLimits {
  /** Streams of everybody together. @default {10000} */
  maxStreams?: number;
  /** Streams of one caller: a credential, or an address where there are none. @default {Infinity} */
  maxStreamsPerCredential?: number;
}

/** Milliseconds after which it is worth asking again: nobody knows when a stream ends. */
const RETRY_AFTER_MS = 5_000;

/** Counts open streams. What was taken is given back exactly once, however often that is said. */
export class StreamSlots {
  readonly #what: string;
  readonly #maxStreams: number;
  readonly #maxPerCaller: number;
  // An entry for each caller that has a stream, so `maxStreams` bounds it too.
  readonly #open = new Map<string, number>();
  readonly #refused = { ofCaller: 0, ofAll: 0 };
  #total = 0;

  /**
   * @param what The streams that are counted, for messages.
   * @throws {TypeError} For a limit that is not a whole number of at least 1, or `Infinity`.
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

  /** Streams that are open now. */
  get open(): number {
    return this.#total;
  }

  /** Streams that may be open together; `Infinity` is any number. */
  get max(): number {
    return this.#maxStreams;
  }

  /** Streams that were refused so far, by the bound that was met. */
  get refused(): Readonly<{ ofCaller: number; ofAll: number }> {
    return this.#refused;
  }

  /**
   * Takes the place of one stream.
   *
   * @param caller Whose stream it is; left out, it counts among all only.
   * @returns Gives the place back. Safe to call twice.
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
        `The server has as many open ${this.#what} as it may`,
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
