/** A series and the index of its newest event, at the time of reading. */
export type FoldKey = [newest: number, seriesId: string];

/**
 * The keys of all series whose newest event is in a range of the log, in that order.
 *
 * The range is valid for every reader and filter: a series that has since continued has its newest
 * event after that log's end, so no series can have moved into the range.
 */
export interface KeyRange {
  incarnation: string;
  /** The index before the range. */
  after: number;
  /** The last index of the range. */
  through: number;
  /** The last event of the log at the time of reading; a restored log does not have it. */
  end: { index: number; entropy: number };
  keys: FoldKey[];
}

/** Maximum number of keys kept for all tasks together. */
const MAX_KEYS = 64 * 1_024;

/** Maximum number of ranges kept; those of tasks with few series are short. */
const MAX_RANGES = 256;

/** A cache of key ranges that evicts the least recently used. */
export class KeyRanges {
  /** In the order of their last use. */
  #ranges: { taskId: string; range: KeyRange }[] = [];
  #keys = 0;
  readonly #maxKeys: number;

  constructor(maxKeys: number = MAX_KEYS) {
    this.#maxKeys = maxKeys;
  }

  /** Returns the range with keys after `after` that reaches furthest. */
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

  /** Adds a range, replacing those that it contains. */
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

  /** Removes a range. Safe to call twice. */
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

/** Returns how many keys are at or before an index. */
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
