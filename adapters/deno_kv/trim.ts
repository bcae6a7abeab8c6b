import type { Trim } from "@taskcast/core/adapter";
import { prefixOf } from "./rows/blobs.ts";
import type { Changes } from "./rows/changes.ts";
import type { Database } from "./connection/database.ts";
import { getAll } from "./connection/database.ts";
import type { TaskWork } from "./task_queue.ts";
import type { TaskState } from "./rows/task_state.ts";
import { loadFor } from "./rows/task_state.ts";
import { setHead } from "./rows/record.ts";
import { planRanks, type RanksPlan, type TrimmedEvent } from "./rows/trimmed_ranks.ts";
import type { EventValue, FoldValue, GarbagePrefix } from "./rows/values.ts";
import { charsOf } from "./rows/values.ts";

/** Events, and folds, tried in one operation. */
const MAX_EVENTS = 256;
const MAX_SERIES = 64;

/**
 * Trims a log in one operation, or in several if the database requires it. Folds are removed before
 * their events, so that a crash leaves no fold behind.
 *
 * @param run Runs one step; `undefined` if it is too big.
 */
export async function trimInSteps(
  { indexes, series }: Trim,
  run: (step: Trim) => Promise<number | undefined>,
): Promise<number> {
  const isSmall = indexes.length <= MAX_EVENTS && series.length <= MAX_SERIES;
  const count = isSmall ? await run({ indexes, series }) : undefined;
  if (count !== undefined) return count;
  const [first, second] = split({ indexes, series });
  return await trimInSteps(first, run) + await trimInSteps(second, run);
}

function split({ indexes, series }: Trim): [Trim, Trim] {
  if (indexes.length > 0 && series.length > 0) {
    return [{ indexes: [], series }, { indexes, series: [] }];
  }
  const middle = Math.ceil(Math.max(indexes.length, series.length) / 2);
  return [
    { indexes: indexes.slice(0, middle), series: series.slice(0, middle) },
    { indexes: indexes.slice(middle), series: series.slice(middle) },
  ];
}

/** Removes events and folds of a task. Its result is the number of removed events. */
export class TrimWork implements TaskWork<number | undefined> {
  readonly #database: Database;
  readonly #incarnation: string;
  readonly #trim: Trim;
  #gone: TrimmedEvent[] = [];
  /** Newest events of folds that only the folds still have. */
  #orphans = new Set<number>();
  #ranks: RanksPlan = { remembered: [], forgotten: [] };

  constructor(database: Database, incarnation: string, trim: Trim) {
    this.#database = database;
    this.#incarnation = incarnation;
    this.#trim = trim;
  }

  readsStored(): boolean {
    return true;
  }

  async load(state: TaskState): Promise<void> {
    const { head } = state;
    if (head?.incarnation !== this.#incarnation) return;
    const { kv, keys } = this.#database;
    // The newest always stays: the archiver compares it.
    const indexes = this.#trim.indexes.filter((index) => index < head.length - 1);
    const entries = await getAll(kv, indexes.map((index) => keys.event(head.life, index)));
    this.#gone = entries.flatMap(({ value }, at) =>
      value === null ? [] : [{ index: indexes[at]!, value: value as EventValue }]
    );
    this.#ranks = await planRanks(this.#database, head.life, this.#gone);
    const series = new Set(this.#trim.series);
    for (const { value: { seriesId } } of this.#gone) {
      if (seriesId !== undefined) series.add(seriesId);
    }
    const named = [...series].map((seriesId) => ({ type: "", level: "info" as const, seriesId }));
    await loadFor(this.#database, state, named);
    const newest = this.#trim.series.flatMap((id) => state.series.get(id)?.fold?.index ?? []);
    const events = await getAll(kv, newest.map((index) => keys.event(head.life, index)));
    this.#orphans = new Set(newest.filter((_, at) => events[at]!.value === null));
  }

  plan(state: TaskState, changes: Changes): number {
    const { head } = state;
    if (head?.incarnation !== this.#incarnation) return 0;
    const { keys } = this.#database;
    const { life: storageId } = head;
    const kept = new Set<number>(); // Events whose folds stay, and with them their long texts.
    for (const { index, value: { seriesId } } of this.#gone) {
      const fold = seriesId === undefined ? undefined : state.series.get(seriesId)?.fold;
      if (fold?.index === index) kept.add(index);
    }
    for (const seriesId of this.#trim.series) {
      const fold = state.series.get(seriesId)?.fold;
      if (fold === undefined) continue;
      kept.delete(fold.index);
      this.#deleteFold(state, changes, fold);
    }
    let { dataChars } = head;
    const discarded: GarbagePrefix[] = [];
    for (const { index, value } of this.#gone) {
      dataChars -= charsOf(value.data);
      changes.delete(keys.event(storageId, index));
      changes.delete(keys.rank(storageId, value.classNo, index));
      changes.delete(keys.rank(storageId, 0, index));
      if (!kept.has(index)) discarded.push(...prefixOf(value.data));
    }
    changes.discard(keys, storageId, ...discarded);
    for (const { classNo, index, place } of this.#ranks.remembered) {
      changes.set(keys.trimmedRank(storageId, classNo, index), place);
    }
    for (const { classNo, index } of this.#ranks.forgotten) {
      changes.delete(keys.trimmedRank(storageId, classNo, index));
    }
    const last = this.#gone.at(-1)?.index;
    state.head = { ...head, dataChars };
    if (last !== undefined) state.head.trimmedThrough = Math.max(last, head.trimmedThrough ?? -1);
    if (!changes.isEmpty) setHead(keys, state, changes);
    return this.#gone.length;
  }

  #deleteFold(state: TaskState, changes: Changes, fold: FoldValue): void {
    const { keys } = this.#database;
    const { life: storageId } = state.head!;
    const { seriesId } = fold;
    changes.delete(keys.series(storageId, seriesId));
    changes.delete(keys.fold(storageId, fold.index));
    // The long text of an event that still exists is removed with the event.
    const texts = this.#orphans.has(fold.index) ? prefixOf(fold.newest.data) : [];
    changes.discard(keys, storageId, ["part", seriesId], ...texts);
    state.series.set(seriesId, undefined);
  }
}
