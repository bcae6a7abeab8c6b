/** A series and the index of its newest event, when the keys were read. */
export type FoldKey = [newest: number, seriesId: string];

/**
 * The keys of all series whose newest event lies in a range of the log, in that order.
 *
 * The range is good for every reader and every filter: a series that went on since has its newest
 * event behind the log of that moment, so no series can have moved into the range.
 */
export interface KeyRange {
  incarnation: string;
  /** The range begins behind this index. */
  after: number;
  /** The range ends with this index. */
  through: number;
  /** The last event of the log when the keys were read: a restored log does not have it. */
  end: { index: number; entropy: number };
  keys: FoldKey[];
}

/** Keys that are remembered for all tasks together. */
const MAX_KEYS = 64 * 1_024;

/** Ranges that are remembered; tasks with few series have short ones. */
const MAX_RANGES = 256;

/** Remembers ranges of keys, and forgets those that were not used for the longest time. */
export class KeyRanges {
  /** Ranges, least recently used first. */
  #ranges: { taskId: string; range: KeyRange }[] = [];
  #keys = 0;
  readonly #maxKeys: number;

  constructor(maxKeys: number = MAX_KEYS) {
    this.#maxKeys = maxKeys;
  }

  /** Returns the range that has keys behind `after`, the one that reaches farthest. */
  find(taskId: string, after: number): KeyRange | undefined {
    let found: KeyRange | undefined;
    for (const { taskId: id, range } of this.#ranges) {
      if (id !== taskId || range.after > after || range.through <= after) continue;
      if (found === undefined || range.through > found.through) found = range;
    }
    if (found !== undefined) {
      this.forget(found);
      this.#add(taskId, found);
    }
    return found;
  }

  /** Remembers a range in place of those that it contains. */
  remember(taskId: string, range: KeyRange): void {
    for (const { taskId: id, range: old } of [...this.#ranges]) {
      const isContained = old.after >= range.after && old.through <= range.through;
      if (id === taskId && isContained) this.forget(old);
    }
    this.#add(taskId, range);
    while (this.#keys > this.#maxKeys || this.#ranges.length > MAX_RANGES) {
      this.forget(this.#ranges[0]!.range);
    }
  }

  /** Forgets a range. Safe to call twice. */
  forget(range: KeyRange): void {
    const at = this.#ranges.findIndex((known) => known.range === range);
    if (at === -1) return;
    this.#ranges.splice(at, 1);
    this.#keys -= range.keys.length;
  }

  #add(taskId: string, range: KeyRange): void {
    this.#ranges.push({ taskId, range });
    this.#keys += range.keys.length;
  }
}

/** Returns the first keys in (after, through], and whether these are all of them. */
export function keysWithin(
  { keys }: KeyRange,
  after: number,
  through: number,
  limit: number,
): { keys: FoldKey[]; areAll: boolean } {
  const first = countThrough(keys, after);
  const behind = countThrough(keys, through);
  const within = keys.slice(first, Math.min(behind, first + limit));
  return { keys: within, areAll: behind - first <= limit };
}

/** How many keys lie at or before an index. */
function countThrough(keys: readonly FoldKey[], index: number): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle]![0] <= index) low = middle + 1;
    else high = middle;
  }
  return low;
}
