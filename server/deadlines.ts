import { systemClock } from "@taskcast/core";

interface Wait {
  atMs: number;
  expire(): void;
}

/** The longest pause between looks, in milliseconds: as late as a wait may end at most. */
const MAX_TICK_MS = 1_000;

/**
 * Bounds many short waits by one coarse timer. A timer for each request would be a twentieth of what
 * a small request costs. While nothing waits, there is no timer.
 */
export class Deadlines {
  readonly #limitMs: number;
  readonly #tickMs: number;
  /** All have the same limit, so the first one expires first. */
  readonly #waits = new Set<Wait>();
  #isTicking = false;

  /** @param limitMs Milliseconds that each wait may take; it ends up to a second later. */
  constructor(limitMs: number) {
    this.#limitMs = limitMs;
    this.#tickMs = Math.min(MAX_TICK_MS, Math.ceil(limitMs / 4));
  }

  /** Settles as `work` does, or rejects with the error of `late` once the limit is over. */
  watch<T>(work: Promise<T>, late: () => Error): Promise<T> {
    return new Promise((resolve, reject) => {
      const wait: Wait = {
        atMs: performance.now() + this.#limitMs,
        expire: () => reject(late()),
      };
      this.#waits.add(wait);
      this.#tick();
      work.then((value) => {
        this.#waits.delete(wait);
        resolve(value);
      }, (error) => {
        this.#waits.delete(wait);
        reject(error);
      });
    });
  }

  #tick(): void {
    if (this.#isTicking) return;
    this.#isTicking = true;
    systemClock.setTimeout(() => {
      this.#isTicking = false;
      const nowMs = performance.now();
      for (const wait of this.#waits) {
        if (wait.atMs > nowMs) break;
        this.#waits.delete(wait);
        wait.expire();
      }
      if (this.#waits.size > 0) this.#tick();
    }, this.#tickMs);
  }
}
