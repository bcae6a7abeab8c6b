import { countBelow } from "./index_list.ts";

/** Number of stale entries that are kept regardless of the number of others. */
const SLACK = 128;

/**
 * Series in the order of their newest events. A series that grows gets another entry at the end,
 * and its previous entry becomes stale. Stale entries are removed once they are the majority. So
 * moving a series takes constant amortised time, unlike in a sorted list, and finding a position is
 * a binary search, unlike in a linked list.
 */
export class NewestOrder<Series extends { newest: { index: number } }> {
  #series: Series[] = [];
  /**
   * The index of each entry's newest event when the entry was added. An entry is stale if its
   * series has a newer event.
   */
  #indexes: number[] = [];
  #size = 0;

  /** Moves a series to the end. Must be called whenever its newest event changes. */
  moveToEnd(series: Series): void {
    const { index } = series.newest;
    const last = this.#series.length - 1;
    // The series is usually already the last.
    if (this.#series[last] === series) {
      this.#indexes[last] = index;
      return;
    }
    this.#series.push(series);
    this.#indexes.push(index);
    if (this.#series.length > 2 * this.#size + SLACK) this.#sweep();
  }

  /** Removes a series. */
  delete(series: Series): void {
    const at = this.#placeAfter(series.newest.index - 1);
    if (this.#series[at] !== series) return;
    this.#series.splice(at, 1);
    this.#indexes.splice(at, 1);
  }

  /** Yields the series whose newest event comes after an index. */
  *after(index: number): Generator<Series, void> {
    for (let at = this.#placeAfter(index); at < this.#series.length; at++) {
      const series = this.#series[at]!;
      if (series.newest.index === this.#indexes[at]) yield series;
    }
  }

  #placeAfter(index: number): number {
    return countBelow(this.#indexes, index + 1);
  }

  #sweep(): void {
    let kept = 0;
    for (let at = 0; at < this.#series.length; at++) {
      const series = this.#series[at]!;
      const index = this.#indexes[at]!;
      if (series.newest.index !== index) continue;
      this.#series[kept] = series;
      this.#indexes[kept++] = index;
    }
    this.#series.length = this.#indexes.length = this.#size = kept;
  }
}
