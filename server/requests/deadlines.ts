import { systemClock } from "@taskcast/core/adapter";
import { WaitList } from "@taskcast/core/internal";

/** Longest tick of the timer in milliseconds, which is how late a wait may end. */
const MAX_TICK_MS = 1_000;

/**
 * Limits the time of many short waits with one coarse timer. A timer for each request would add 5 %
 * to the cost of a small request. No timer runs while nothing waits.
 */
export class Deadlines {
  readonly #limitMs: number;
  readonly #tickMs: number;
  readonly #waits = new WaitList();
  #isTicking = false;

  /** @param limitMs Milliseconds that each wait may take; it ends up to a second later. */
  constructor(limitMs: number) {
    this.#limitMs = limitMs;
    this.#tickMs = Math.min(MAX_TICK_MS, Math.ceil(limitMs / 4));
  }

  /** Settles as `work` does, or rejects with the error that `late` returns when time is up. */
  watch<T>(work: Promise<T>, late: () => Error): Promise<T> {
    return new Promise((resolve, reject) => {
      const waits = this.#waits;
      const wait = waits.add(performance.now() + this.#limitMs, () => reject(late()));
      this.#tick();
      work.then((value) => {
        waits.remove(wait);
        resolve(value);
      }, (error) => {
        waits.remove(wait);
        reject(error);
      });
    });
  }

  #tick(): void {
    if (this.#isTicking) return;
    this.#isTicking = true;
    systemClock.setTimeout(() => {
      this.#isTicking = false;
      this.#waits.expire(performance.now());
      if (this.#waits.first !== undefined) this.#tick();
    }, this.#tickMs);
  }
}
