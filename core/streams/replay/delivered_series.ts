/** Series that are remembered for one reader; of more, those that went on longest ago are told again. */
export const MAX_TOLD_SERIES = 1_024;

/** The series that a reader has as they are at its position, so that it needs their next events only. */
export class ToldSeries {
  readonly #ids = new Set<string>();

  /** A series was told, or an event of one. */
  add(seriesId: string): void {
    this.#ids.delete(seriesId);
    this.#ids.add(seriesId);
    if (this.#ids.size <= MAX_TOLD_SERIES) return;
    const [oldest] = this.#ids;
    this.#ids.delete(oldest!);
  }

  has(seriesId: string): boolean {
    return this.#ids.has(seriesId);
  }
}
