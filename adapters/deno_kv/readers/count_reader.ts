import type { EventFilter } from "@taskcast/core/protocol";
import { matchesEverything } from "@taskcast/core/adapter";
import type { Database } from "../connection/database.ts";
import type { KvKey } from "../connection/kv.ts";
import { classesOf } from "./log_reader.ts";
import type { Head } from "../rows/values.ts";

/**
 * For each index: how many events before it match. Of each class this is the place of its first event
 * at that index or behind it, which says how many come before; if there is none it is all of them.
 * Of events that were removed, those that are the first of their class behind one that is left have
 * their places kept.
 */
export async function countEvents(
  database: Database,
  { life, length, trimmedThrough }: Head,
  filter: EventFilter,
  indexes: readonly number[],
): Promise<number[]> {
  if (matchesEverything(filter)) return indexes.map((index) => Math.min(index, length));
  const classes = await classesOf(database, life, filter, false);
  const { keys } = database;
  const isTrimmed = trimmedThrough !== undefined;
  const countBefore = async (index: number): Promise<number> => {
    const counts = await Promise.all(classes.map(async ({ no, total }) => {
      const [left, gone] = await Promise.all([
        firstFrom(database, keys.place(life, no, index), keys.place(life, no, Infinity)),
        isTrimmed
          ? firstFrom(database, keys.gonePlace(life, no, index), keys.gonePlace(life, no, Infinity))
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
