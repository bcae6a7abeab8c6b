import type { Database } from "../connection/database.ts";
import { listAll } from "../connection/database.ts";
import type { EventValue } from "./values.ts";

/** A removed event. */
export interface TrimmedEvent {
  index: number;
  value: EventValue;
}

interface Rank {
  classNo: number;
  index: number;
  place: number;
}

/** Changes to the places of removed events. */
export interface RanksPlan {
  remembered: Rank[];
  forgotten: Rank[];
}

/**
 * Plans which ranks of removed events to keep, so that matches can be counted at every remaining
 * event: in each gap the first of each class, unless the event before the gap is of that class or
 * does not exist.
 *
 * @param gone In the order of their indexes.
 */
export async function planRanks(
  database: Database,
  storageId: string,
  gone: readonly TrimmedEvent[],
): Promise<RanksPlan> {
  const removed = new Set(gone.map(({ index }) => index));
  const plan: RanksPlan = { remembered: [], forgotten: [] };
  for (let at = 0; at < gone.length;) {
    const { index } = gone[at]!;
    const [before, end] = await Promise.all([
      lastBefore(database, storageId, index),
      firstLeftAfter(database, storageId, index, removed),
    ]);
    const first = new Map<number, Rank>();
    for (; at < gone.length && gone[at]!.index < end; at++) {
      const { index, value: { classNo, place } } = gone[at]!;
      if (!first.has(classNo)) first.set(classNo, { classNo, index, place });
    }
    await Promise.all([...first.values()].map(async (added) => {
      const known = await knownIn(database, storageId, added.classNo, before?.index ?? -1, end);
      const isNeeded = before !== undefined && before.classNo !== added.classNo;
      const [earliest] = [added, ...known].toSorted((a, b) => a.index - b.index);
      for (const rank of known) {
        if (!isNeeded || rank !== earliest) plan.forgotten.push(rank);
      }
      if (isNeeded && earliest === added) plan.remembered.push(added);
    }));
  }
  return plan;
}

async function lastBefore(
  { kv, keys }: Database,
  storageId: string,
  index: number,
): Promise<{ index: number; classNo: number } | undefined> {
  const range = { start: keys.event(storageId, 0), end: keys.event(storageId, index) };
  for await (const { key, value } of kv.list(range, { limit: 1, batchSize: 1, reverse: true })) {
    return { index: key.at(-1) as number, classNo: (value as EventValue).classNo };
  }
  return undefined;
}

/** Returns the first remaining event after an index. There is one: the newest stays. */
async function firstLeftAfter(
  { kv, keys }: Database,
  storageId: string,
  index: number,
  removed: ReadonlySet<number>,
): Promise<number> {
  for (let from = index + 1;; from++) {
    while (removed.has(from)) from++;
    const range = { start: keys.event(storageId, from), end: keys.event(storageId, Infinity) };
    const [next] = await listAll(kv, range, { limit: 1, batchSize: 1 });
    if (next === undefined) return Infinity;
    from = next.key.at(-1) as number;
    if (!removed.has(from)) return from;
  }
}

async function knownIn(
  { kv, keys }: Database,
  storageId: string,
  classNo: number,
  after: number,
  end: number,
): Promise<Rank[]> {
  const range = {
    start: keys.trimmedRank(storageId, classNo, after + 1),
    end: keys.trimmedRank(storageId, classNo, end),
  };
  const found: Rank[] = [];
  for await (const { key, value } of kv.list(range)) {
    found.push({ classNo, index: key.at(-1) as number, place: value as number });
  }
  return found;
}
