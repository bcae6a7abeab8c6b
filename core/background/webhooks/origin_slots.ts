/** Maximum concurrent attempts for one receiver, so that one that hangs cannot use up all slots. */
const MAX_PER_ORIGIN = 16;

/** Maximum concurrent attempts for all receivers. */
const MAX_TOTAL = 256;

/** Limits concurrent attempts by receiver and in total. */
export class OriginSlots {
  readonly #taken = new Map<string, number>();
  #total = 0;

  /** Acquires a slot if one is free. The returned function releases it. */
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
