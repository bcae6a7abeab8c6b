/** What waits for an answer. */
interface Waiting {
  untilMs: number;
  onLate: () => void;
}

/**
 * Notices answers that do not come in time. All may take equally long, so those that were asked for
 * first are late first, and one timer is enough for all of them: a timer for each took 9 % of what a
 * publish costs this process.
 */
export class Deadlines {
  readonly #timeoutMs: number;
  /** In the order in which they are late. */
  readonly #waiting = new Set<Waiting>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** Calls back when the time is over. Returns how to say that the answer is there. */
  expect(onLate: () => void): () => void {
    const waiting = { untilMs: performance.now() + this.#timeoutMs, onLate };
    this.#waiting.add(waiting);
    this.#timer ??= setTimeout(this.#onTimer, this.#timeoutMs);
    return () => {
      this.#waiting.delete(waiting);
      if (this.#waiting.size === 0) this.#rest();
    };
  }

  readonly #onTimer = (): void => {
    this.#timer = undefined;
    const nowMs = performance.now();
    for (const waiting of this.#waiting) {
      // Timers may be a little early.
      if (waiting.untilMs > nowMs + 1) {
        this.#timer = setTimeout(this.#onTimer, waiting.untilMs - nowMs);
        return;
      }
      this.#waiting.delete(waiting);
      waiting.onLate();
    }
  };

  #rest(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
