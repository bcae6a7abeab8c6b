/** Attempts at one receiver at a time: one that hangs must not hold what others need. */
const MAX_PER_ORIGIN = 16;

/** Attempts at a time over all receivers. */
const MAX_TOTAL = 256;

/** Who may send to which receiver. */
export class OriginSlots {
  readonly #taken = new Map<string, number>();
  #total = 0;

  /** Takes a slot if there is one; the answer gives it back. */
  acquire(url: string): (() => void) | undefined {
    const { origin } = new URL(url);
    const taken = this.#taken.get(origin) ?? 0;
    if (taken >= MAX_PER_ORIGIN || this.#total >= MAX_TOTAL) return undefined;
    this.#taken.set(origin, taken + 1);
    this.#total++;
    return () => {
      this.#total--;
      const left = this.#taken.get(origin)! - 1;
      if (left === 0) this.#taken.delete(origin);
      else this.#taken.set(origin, left);
    };
  }
}
