import { systemClock } from "@taskcast/core/adapter";

/** A wait, between those that began before it and after it. */
interface Wait {
  /** When it expires, in milliseconds of `performance.now()`. */
  atMs: number;
  /** Left out once it is over, however it ended. */
  expire?: () => void;
  before?: Wait;
  after?: Wait;
}

/** The longest pause between looks, in milliseconds: as late as a wait may end at most. */
const MAX_TICK_MS = 1_000;

/**
 * Bounds many short waits by one coarse timer. A timer for each request would be a twentieth of what
 * a small request costs. While nothing waits, there is no timer.
 *
 * Waits form a list and let go of each other, and of their request, when they leave it. A `Set` would
 * keep them longer: V8 holds its old tables, each by the one before, until it looks through the
 * whole heap, so short collections would copy requests that ended long ago.
 */
export class Deadlines {
  readonly #limitMs: number;
  readonly #tickMs: number;
  /** All have the same limit, so the first one expires first. */
  #first?: Wait;
  #last?: Wait;
  #isTicking = false;

  /** @param limitMs Milliseconds that each wait may take; it ends up to a second later. */
  constructor(limitMs: number) {
    this.#limitMs = limitMs;
    this.#tickMs = Math.min(MAX_TICK_MS, Math.ceil(limitMs / 4));
  }

  /** Settles as `work` does, or rejects with the error of `late` once the limit is over. */
  watch<T>(work: Promise<T>, late: () => Error): Promise<T> {
    return new Promise((resolve, reject) => {
      const wait = this.#add(() => reject(late()));
      work.then((value) => {
        this.#remove(wait);
        resolve(value);
      }, (error) => {
        this.#remove(wait);
        reject(error);
      });
    });
  }

  #add(expire: () => void): Wait {
    const wait: Wait = {
      atMs: performance.now() + this.#limitMs,
      expire,
      before: this.#last,
      after: undefined,
    };
    if (this.#last === undefined) this.#first = wait;
    else this.#last.after = wait;
    this.#last = wait;
    this.#tick();
    return wait;
  }

  /** Does nothing for a wait that is over. */
  #remove(wait: Wait): void {
    if (wait.expire === undefined) return;
    const { before, after } = wait;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    wait.expire = wait.before = wait.after = undefined;
  }

  #tick(): void {
    if (this.#isTicking) return;
    this.#isTicking = true;
    systemClock.setTimeout(() => {
      this.#isTicking = false;
      const nowMs = performance.now();
      while (this.#first !== undefined && this.#first.atMs <= nowMs) {
        const { expire } = this.#first;
        this.#remove(this.#first);
        expire?.();
      }
      if (this.#first !== undefined) this.#tick();
    }, this.#tickMs);
  }
}
