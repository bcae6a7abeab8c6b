import { WaitList } from "@taskcast/core/internal";

/**
 * Detects answers that do not arrive in time. All have the same limit, so one timer is enough for all
 * of them: a timer for each took 9 % of what a publish costs this process.
 */
export class Deadlines {
  readonly #timeoutMs: number;
  readonly #waits = new WaitList();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Calls `onLate` when the time is over.
   *
   * @returns A function to call when the answer has arrived. Safe to call twice.
   */
  expect(onLate: () => void): () => void {
    const wait = this.#waits.add(performance.now() + this.#timeoutMs, onLate);
    this.#timer ??= setTimeout(this.#onTimer, this.#timeoutMs);
    return () => {
      this.#waits.remove(wait);
      if (this.#waits.first === undefined) this.#stopTimer();
    };
  }

  readonly #onTimer = (): void => {
    const nowMs = performance.now();
    this.#waits.expire(nowMs + 1); // Timers may be a little early.
    const { first } = this.#waits;
    this.#timer = first && setTimeout(this.#onTimer, first.atMs - nowMs);
  };

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
