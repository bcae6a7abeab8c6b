/** A pending answer in the list of all, by time of the request. */
interface Waiting {
  untilMs: number;
  onLate?: () => void;
  before?: Waiting;
  after?: Waiting;
}

/**
 * Notices answers that do not come in time. All may take equally long, so those that were asked for
 * first are late first, and one timer is enough for all of them: a timer for each took 9 % of what
 * a publish costs this process.
 *
 * They are a list whose elements forget each other, and what they were about, when they leave it. A
 * `Set` keeps what was in it for longer: it moves to a larger or emptier table after some dozens of
 * changes, and V8 keeps old tables, each by the one before, until it looks through the whole heap.
 * Every second publish was kept so for seconds, and copied meanwhile.
 */
export class Deadlines {
  readonly #timeoutMs: number;
  #first?: Waiting;
  #last?: Waiting;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** Calls back when the time is over. Returns how to say that the answer is there. */
  expect(onLate: () => void): () => void {
    const waiting: Waiting = {
      untilMs: performance.now() + this.#timeoutMs,
      onLate,
      before: this.#last,
      after: undefined,
    };
    if (this.#last === undefined) this.#first = waiting;
    else this.#last.after = waiting;
    this.#last = waiting;
    this.#timer ??= setTimeout(this.#onTimer, this.#timeoutMs);
    return () => {
      this.#remove(waiting);
      if (this.#first === undefined) this.#rest();
    };
  }

  readonly #onTimer = (): void => {
    this.#timer = undefined;
    const nowMs = performance.now();
    for (let first = this.#first; first !== undefined; first = this.#first) {
      // Timers may be a little early.
      if (first.untilMs > nowMs + 1) {
        this.#timer = setTimeout(this.#onTimer, first.untilMs - nowMs);
        return;
      }
      const { onLate } = first;
      this.#remove(first);
      onLate?.();
    }
  };

  /** Does nothing if it was removed before. */
  #remove(waiting: Waiting): void {
    if (waiting.onLate === undefined) return;
    const { before, after } = waiting;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    waiting.onLate = waiting.before = waiting.after = undefined;
  }

  #rest(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
