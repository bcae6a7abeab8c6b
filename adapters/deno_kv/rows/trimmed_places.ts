import type { Database } from "../connection/database.ts";
import { listAll } from "../connection/database.ts";
import type { EventValue } from "./values.ts";

/** An event that is removed. */
export interface GoneEvent {
  index: number;
  value: EventValue;
}

interface Place {
  classNo: number;
  index: number;
  place: number;
}

/** Changes to the places of removed events. */
export interface PlacesPlan {
  remembered: Place[];
  forgotten: Place[];
}

/**
 * Which places of removed events must be kept so that matches can be counted at every event that is
 * left: in each gap the first of each class, unless the event before the gap is of that class or
 * there is none.
 *
 * @param gone In the order of their indexes.
 */
export async function planPlaces(
  database: Database,
  life: string,
  gone: readonly GoneEvent[],
): Promise<PlacesPlan> {
  const removed = new Set(gone.map(({ index }) => index));
  const plan: PlacesPlan = { remembered: [], forgotten: [] };
  for (let at = 0; at < gone.length;) {
    const { index } = gone[at]!;
    const [before, end] = await Promise.all([
      lastBefore(database, life, index),
      firstLeftBehind(database, life, index, removed),
    ]);
    const first = new Map<number, Place>();
    for (; at < gone.length && gone[at]!.index < end; at++) {
      const { index, value: { classNo, place } } = gone[at]!;
      if (!first.has(classNo)) first.set(classNo, { classNo, index, place });
    }
    await Promise.all([...first.values()].map(async (added) => {
      const known = await knownIn(database, life, added.classNo, before?.index ?? -1, end);
      const isNeeded = before !== undefined && before.classNo !== added.classNo;
      const [earliest] = [added, ...known].toSorted((a, b) => a.index - b.index);
      for (const place of known) {
        if (!isNeeded || place !== earliest) plan.forgotten.push(place);
      }
      if (isNeeded && earliest === added) plan.remembered.push(added);
    }));
  }
  return plan;
}

async function lastBefore(
  { kv, keys }: Database,
  life: string,
  index: number,
): Promise<{ index: number; classNo: number } | undefined> {
  const range = { start: keys.event(life, 0), end: keys.event(life, index) };
  for await (const { key, value } of kv.list(range, { limit: 1, batchSize: 1, reverse: true })) {
    return { index: key.at(-1) as number, classNo: (value as EventValue).classNo };
  }
  return undefined;
}

/** The first event behind an index that is not removed. There is one: the newest stays. */
async function firstLeftBehind(
  { kv, keys }: Database,
  life: string,
  index: number,
  removed: ReadonlySet<number>,
): Promise<number> {
  for (let from = index + 1;; from++) {
    while (removed.has(from)) from++;
    const range = { start: keys.event(life, from), end: keys.event(life, Infinity) };
    const [next] = await listAll(kv, range, { limit: 1, batchSize: 1 });
    if (next === undefined) return Infinity;
    from = next.key.at(-1) as number;
    if (!removed.has(from)) return from;
  }
}

async function knownIn(
  { kv, keys }: Database,
  life: string,
  classNo: number,
  after: number,
  end: number,
): Promise<Place[]> {
  const range = {
    start: keys.gonePlace(life, classNo, after + 1),
    end: keys.gonePlace(life, classNo, end),
  };
  const found: Place[] = [];
  for await (const { key, value } of kv.list(range)) {
    found.push({ classNo, index: key.at(-1) as number, place: value as number });
  }
  return found;
}
