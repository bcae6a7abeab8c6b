import { countBelow } from "./index_list.ts";

/** Stale entries that are borne beside as many as there are others. */
const SLACK = 128;

/**
 * Series in the order of their newest events.
 *
 * A series that goes on gets another entry at the end, and the one before becomes stale. Those are
 * swept out once they are more than half: so moving a series costs the same however many there are,
 * which a sorted list would not, and finding a place is a binary search, which a linked list has
 * not.
 */
export class NewestOrder<Series extends { newest: { index: number } }> {
  #series: Series[] = [];
  /** The index of each entry's newest event when it was made; the entry is stale if that changed. */
  #indexes: number[] = [];
  #size = 0;

  /** Places a series behind all others; called whenever its newest event is another one. */
  moveToEnd(series: Series): void {
    const { index } = series.newest;
    const last = this.#series.length - 1;
    // Mostly it is the one that was the last before.
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
