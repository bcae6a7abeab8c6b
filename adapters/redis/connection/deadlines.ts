/** A pending reply, linked with the ones registered before and after it. */
interface Waiting {
  untilMs: number;
  onLate?: () => void;
  before?: Waiting;
  after?: Waiting;
}

/**
 * Notices replies that do not come in time. All have the same timeout, so they expire in order and
 * share one timer: a timer for each took 9 % of this process's cost of a publish.
 *
 * Pending replies form a linked list whose elements drop their links when they leave. A `Set` keeps
 * removed elements longer: it moves to a new table after some dozens of changes, and V8 keeps each
 * old table reachable from the one before until a full collection. Every second publish was kept
 * for seconds that way, and copied by minor collections.
 */
export class Deadlines {
  readonly #timeoutMs: number;
  readonly #waits = new WaitList();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Registers a reply; `onLate` is called if it does not come in time. Returns a function to call
   * when it does.
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
    for (let first = this.#first; first !== undefined; first = this.#first) {
      // Timers may fire a little early.
      if (first.untilMs > nowMs + 1) {
        this.#timer = setTimeout(this.#onTimer, first.untilMs - nowMs);
        return;
      }
      const { onLate } = first;
      this.#remove(first);
      onLate?.();
    }
  };

  /** Removes an element. Harmless if it was removed before. */
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
