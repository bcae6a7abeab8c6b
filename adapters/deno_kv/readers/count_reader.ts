import type { EventFilter } from "@taskcast/core/protocol";
import { matchesEverything } from "@taskcast/core/adapter";
import type { Database } from "../connection/database.ts";
import type { KvKey } from "../connection/kv.ts";
import { classesOf } from "./log_reader.ts";
import type { Head } from "../rows/values.ts";

/**
 * Counts, for each index, the matching events before it. Per class that is the rank of the first
 * event at or after the index; without such an event it is the number of all. Ranks of removed
 * events are kept where they are the first of their class after a remaining event.
 */
export async function countEvents(
  database: Database,
  { life: storageId, length, trimmedThrough }: Head,
  filter: EventFilter,
  indexes: readonly number[],
): Promise<number[]> {
  if (matchesEverything(filter)) return indexes.map((index) => Math.min(index, length));
  const classes = await classesOf(database, storageId, filter, false);
  const { keys } = database;
  const isTrimmed = trimmedThrough !== undefined;
  const countBefore = async (index: number): Promise<number> => {
    const counts = await Promise.all(classes.map(async ({ no, total }) => {
      const [left, gone] = await Promise.all([
        firstFrom(database, keys.rank(storageId, no, index), keys.rank(storageId, no, Infinity)),
        isTrimmed
          ? firstFrom(
            database,
            keys.trimmedRank(storageId, no, index),
            keys.trimmedRank(storageId, no, Infinity),
          )
          : undefined,
      ]);
      const first = left !== undefined && gone !== undefined
        ? left.index < gone.index ? left : gone
        : left ?? gone;
      return first?.place ?? total;
    }));
    return counts.reduce((sum, count) => sum + count, 0);
  };
  return await Promise.all(indexes.map(countBefore));
}

async function firstFrom(
  { kv }: Database,
  start: KvKey,
  end: KvKey,
): Promise<{ index: number; place: number } | undefined> {
  for await (const { key, value } of kv.list({ start, end }, { limit: 1, batchSize: 1 })) {
    return { index: key.at(-1) as number, place: value as number };
  }
  return undefined;
}
