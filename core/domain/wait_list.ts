/** A wait in a {@linkcode WaitList}. */
export interface Wait {
  /** Time at which it expires, on the clock of the list's owner. */
  readonly atMs: number;
  /** Called when the wait expires. Unset once the wait is over. */
  expire: (() => void) | undefined;
  /** The previous wait. */
  before: Wait | undefined;
  /** The next wait. */
  after: Wait | undefined;
}

/**
 * Waits of equal length, in the order in which they began and so in which they expire. A single
 * timer is enough for all of them.
 *
 * A wait that leaves the list drops its references to its neighbours and to its callback. A `Set`
 * would retain them longer: it moves to another table after some dozens of changes, and V8 keeps the
 * old tables, each through the one before, until a full collection. Short-lived requests would be
 * copied by every small collection until then.
 */
export class WaitList {
  #first?: Wait;
  #last?: Wait;

  /** The wait that expires first. */
  get first(): Wait | undefined {
    return this.#first;
  }

  /** Adds a wait, which must not expire before those that are in the list. */
  add(atMs: number, expire: () => void): Wait {
    const wait: Wait = { atMs, expire, before: this.#last, after: undefined };
    if (this.#last === undefined) this.#first = wait;
    else this.#last.after = wait;
    this.#last = wait;
    return wait;
  }

  /** Removes a wait. Does nothing if the wait is over. */
  remove(wait: Wait): void {
    if (wait.expire === undefined) return;
    const { before, after } = wait;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    wait.expire = wait.before = wait.after = undefined;
  }

  /** Removes the waits that expire by `nowMs`, and calls them in order. */
  expire(nowMs: number): void {
    for (let wait = this.#first; wait !== undefined && wait.atMs <= nowMs; wait = this.#first) {
      const { expire } = wait;
      this.remove(wait);
      expire?.();
    }
  }
}
