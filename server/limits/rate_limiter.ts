/** A rate at which something may happen. */
export interface Rate {
  /** Sustained rate per second; may be below 1. */
  requestsPerSecond: number;
  /** Number allowed at once after a pause. @default {twice requestsPerSecond, at least 1} */
  burst?: number;
}

/**
 * Entries considered for eviction by each call. One call adds at most one entry, so the table
 * shrinks.
 */
const EVICTED_PER_CALL = 2;

/**
 * Token buckets, one for each key. A bucket is a single number: the time at which it will be full
 * again. Taking a token moves that time forward. A full bucket is equivalent to none and is
 * removed.
 *
 * The table is bounded. When it is full of buckets in use, the least recently used one is
 * removed, so its key starts again with a full bucket. Refusing new keys instead would let a few
 * callers lock out all others.
 */
export class RateLimiter {
  readonly #intervalMs: number;
  readonly #depthMs: number;
  readonly #maxBuckets: number;
  readonly #now: () => number;
  // Ordered by use: maps keep insertion order.
  readonly #fullAtMs = new Map<string, number>();

  /**
   * @param options.now Monotonic milliseconds, so that a change of the system clock has no effect.
   * @throws {TypeError} If the rate or the bound is invalid; the message begins with `name`.
   */
  constructor(
    { requestsPerSecond, burst }: Rate,
    { name, maxBuckets, now }: { name: string; maxBuckets: number; now: () => number },
  ) {
    if (!(Number.isFinite(requestsPerSecond) && requestsPerSecond > 0)) {
      throw new TypeError(`${name}.requestsPerSecond must be a number above 0`);
    }
    const depth = burst ?? Math.max(1, Math.ceil(2 * requestsPerSecond));
    if (!(Number.isSafeInteger(depth) && depth >= 1)) {
      throw new TypeError(`${name}.burst must be a whole number of at least 1`);
    }
    if (!(Number.isSafeInteger(maxBuckets) && maxBuckets >= 1)) {
      throw new TypeError(`${name}.maxBuckets must be a whole number of at least 1`);
    }
    this.#intervalMs = 1000 / requestsPerSecond;
    this.#depthMs = depth * this.#intervalMs;
    this.#maxBuckets = maxBuckets;
    this.#now = now;
  }

  /** Number of buckets in memory. */
  get size(): number {
    return this.#fullAtMs.size;
  }

  /** Takes a token if one is available. @returns 0, or the milliseconds until one will be. */
  take(key: string): number {
    const waitMs = this.waitMs(key);
    if (waitMs === 0) this.charge(key);
    return waitMs;
  }

  /** Takes no token. @returns 0 if one is available, or the milliseconds until one will be. */
  waitMs(key: string): number {
    const nowMs = this.#now();
    const nextFullAtMs = Math.max(nowMs, this.#fullAtMs.get(key) ?? 0) + this.#intervalMs;
    // Rounding errors of fractions add up; without the slack, a full bucket might lack its last
    // token.
    const waitMs = nextFullAtMs - nowMs - this.#depthMs;
    return waitMs > 1e-6 ? waitMs : 0;
  }

  /**
   * Takes a token even if there is none, since the event already happened. The debt is bounded by
   * the size of the bucket.
   */
  charge(key: string): void {
    const nowMs = this.#now();
    const fullAtMs = Math.max(nowMs, this.#fullAtMs.get(key) ?? 0) + this.#intervalMs;
    this.#fullAtMs.delete(key);
    this.#fullAtMs.set(key, Math.min(fullAtMs, nowMs + 2 * this.#depthMs));
    this.#evict(nowMs);
  }

  #evict(nowMs: number): void {
    let left = EVICTED_PER_CALL;
    for (const [key, fullAtMs] of this.#fullAtMs) {
      if (fullAtMs > nowMs && this.#fullAtMs.size <= this.#maxBuckets) return;
      this.#fullAtMs.delete(key);
      if (--left === 0) return;
    }
  }
}
