import type { Trim } from "@taskcast/core";
import { prefixOf } from "./blobs.ts";
import type { Changes } from "./changes.ts";
import type { Database } from "./database.ts";
import { getAll } from "./database.ts";
import type { TaskWork } from "./task_queue.ts";
import type { TaskState } from "./task_state.ts";
import { loadFor } from "./task_state.ts";
import { setHead } from "./record.ts";
import { type GoneEvent, type PlacesPlan, planPlaces } from "./trimmed_places.ts";
import type { EventValue, FoldValue } from "./values.ts";
import { charsOf } from "./values.ts";

/** Events, and series, that are removed in one operation. */
const MAX_EVENTS = 150;
const MAX_SERIES = 100;

/**
 * The steps in which a log is trimmed: one, unless one atomic operation cannot take it. Folds go
 * before their events, so that none is left behind by somebody who dies in between.
 */
export function trimSteps({ indexes, series }: Trim): Trim[] {
  const steps: Trim[] = [{ indexes: [], series: series.slice(0, MAX_SERIES) }];
  for (let at = MAX_SERIES; at < series.length; at += MAX_SERIES) {
    steps.push({ indexes: [], series: series.slice(at, at + MAX_SERIES) });
  }
  for (let at = 0; at < indexes.length; at += MAX_EVENTS) {
    const some = indexes.slice(at, at + MAX_EVENTS);
    if (at === 0) steps.at(-1)!.indexes = some;
    else steps.push({ indexes: some, series: [] });
  }
  return steps;
}

/** Removes events and folds of a task. Comes to the number of events that were there. */
export class TrimWork implements TaskWork<number> {
  readonly #database: Database;
  readonly #incarnation: string;
  readonly #trim: Trim;
  #gone: GoneEvent[] = [];
  #places: PlacesPlan = { remembered: [], forgotten: [] };

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
    // The newest stays in any case: the archiver compares it.
    const indexes = this.#trim.indexes.filter((index) => index < head.length - 1);
    const entries = await getAll(kv, indexes.map((index) => keys.event(head.life, index)));
    this.#gone = entries.flatMap(({ value }, at) =>
      value === null ? [] : [{ index: indexes[at]!, value: value as EventValue }]
    );
    this.#places = await planPlaces(this.#database, head.life, this.#gone);
    const series = new Set(this.#trim.series);
    for (const { value: { seriesId } } of this.#gone) {
      if (seriesId !== undefined) series.add(seriesId);
    }
    const named = [...series].map((seriesId) => ({ type: "", level: "info" as const, seriesId }));
    await loadFor(this.#database, state, named);
  }

  plan(state: TaskState, changes: Changes): number {
    const { head } = state;
    if (head?.incarnation !== this.#incarnation) return 0;
    const { keys } = this.#database;
    const { life } = head;
    const kept = new Set<number>(); // Events whose folds stay, and their long texts with them.
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
    for (const { index, value } of this.#gone) {
      dataChars -= charsOf(value.data);
      changes.delete(keys.event(life, index));
      changes.delete(keys.place(life, value.classNo, index));
      changes.delete(keys.place(life, 0, index));
      if (!kept.has(index)) changes.discard(keys, life, ...prefixOf(value.data));
    }
    for (const { classNo, index, place } of this.#places.remembered) {
      changes.set(keys.gonePlace(life, classNo, index), place);
    }
    for (const { classNo, index } of this.#places.forgotten) {
      changes.delete(keys.gonePlace(life, classNo, index));
    }
    const last = this.#gone.at(-1)?.index;
    state.head = { ...head, dataChars };
    if (last !== undefined) state.head.trimmedThrough = Math.max(last, head.trimmedThrough ?? -1);
    if (!changes.isEmpty) setHead(keys, state, changes);
    return this.#gone.length;
  }

  #deleteFold(state: TaskState, changes: Changes, fold: FoldValue): void {
    const { keys } = this.#database;
    const { life } = state.head!;
    const { seriesId } = fold;
    changes.delete(keys.series(life, seriesId));
    changes.delete(keys.fold(life, fold.index));
    changes.discard(keys, life, ["part", seriesId], ...prefixOf(fold.newest.data));
    state.series.set(seriesId, undefined);
  }
}
