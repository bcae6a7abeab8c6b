/** How often something may happen. */
export interface Rate {
  /** Times a second in the long run; below 1 for less often. */
  requestsPerSecond: number;
  /** Times at once after a pause. @default {twice requestsPerSecond, at least 1} */
  burst?: number;
}

/** Entries looked at for eviction by each call: more than one comes in, so the table shrinks. */
const EVICTED_PER_CALL = 2;

/**
 * Token buckets, one for each key. A bucket is a single number: the time at which it will be full
 * again. Taking moves that time on; a bucket that is full is the same as none and is forgotten.
 *
 * The table is bounded. When it is full of buckets in use, the one that was used longest ago is
 * forgotten, which lets its key start anew; refusing whoever is new would let a few lock out all.
 */
export class RateLimiter {
  readonly #intervalMs: number;
  readonly #depthMs: number;
  readonly #maxBuckets: number;
  readonly #now: () => number;
  // In the order of use, as maps keep the order in which keys were set.
  readonly #fullAtMs = new Map<string, number>();

  /**
   * @param options.now Monotonic milliseconds: setting the clock must open or close nothing.
   * @throws {TypeError} For a rate or a bound that cannot work, by `name`.
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

  /** Buckets that are remembered. */
  get size(): number {
    return this.#fullAtMs.size;
  }

  /** Takes one if there is one. @returns 0, or the milliseconds until there will be. */
  take(key: string): number {
    const waitMs = this.waitMs(key);
    if (waitMs === 0) this.charge(key);
    return waitMs;
  }

  /** Takes nothing. @returns 0 if there is one, or the milliseconds until there will be. */
  waitMs(key: string): number {
    const nowMs = this.#now();
    const nextFullAtMs = Math.max(nowMs, this.#fullAtMs.get(key) ?? 0) + this.#intervalMs;
    // Sums of parts of milliseconds: without the slack a full bucket might lack its last one.
    const waitMs = nextFullAtMs - nowMs - this.#depthMs;
    return waitMs > 1e-6 ? waitMs : 0;
  }

  /** Takes one even if there is none: what already happened counts, at most as deep again. */
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
