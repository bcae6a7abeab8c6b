/** Series that are remembered for one reader; of more, those that went on longest ago are told again. */
export const MAX_DELIVERED_SERIES = 1_024;

/** The series that a reader has as they are at its position, so that it needs their next events only. */
export class DeliveredSeries {
  readonly #ids = new Set<string>();
  /** Those told last, oldest first, which are not among the others yet: most readers never ask. */
  #latest: string[] = [];

  /** A series was told, or an event of one. */
  add(seriesId: string): void {
    this.#latest.push(seriesId);
    if (this.#latest.length > MAX_DELIVERED_SERIES) this.#mergeLatest();
  }

  has(seriesId: string): boolean {
    if (this.#latest.length > 0) this.#mergeLatest();
    return this.#ids.has(seriesId);
  }

  #mergeLatest(): void {
    for (const id of this.#latest) {
      this.#ids.delete(id);
      this.#ids.add(id);
      if (this.#ids.size <= MAX_DELIVERED_SERIES) continue;
      const [oldest] = this.#ids;
      this.#ids.delete(oldest!);
    }
    this.#latest = [];
  }
}
