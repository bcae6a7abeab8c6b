/** Maximum number of series remembered for one reader. Older ones are sent as snapshots again. */
export const MAX_DELIVERED_SERIES = 1_024;

/** The series that a reader has as they are at its position. It needs only their next events. */
export class DeliveredSeries {
  readonly #ids = new Set<string>();
  /** The newest additions, oldest first. They are merged on demand, because most readers never ask. */
  #latest: string[] = [];

  /** Notes that a series, or an event of it, was delivered. */
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
