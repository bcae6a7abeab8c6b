import type { Keys } from "../keys.ts";
import type { Kv, KvEntry, KvKey, KvListOptions, KvSelector } from "./kv.ts";
import { MAX_KEYS } from "../limits.ts";

/** A database and the location of Taskcast's data in it. */
export interface Database {
  kv: Kv;
  keys: Keys;
}

/** Reads any number of keys, ten per request and in parallel; each ten are of one moment. */
export async function getAll(kv: Kv, keys: readonly KvKey[]): Promise<KvEntry[]> {
  const reads: Promise<readonly KvEntry[]>[] = [];
  for (let at = 0; at < keys.length; at += MAX_KEYS) {
    reads.push(kv.getMany(keys.slice(at, at + MAX_KEYS)));
  }
  return (await Promise.all(reads)).flat();
}

/** Reads a list to its end. The range must be bounded. */
export async function listAll(
  kv: Kv,
  selector: KvSelector,
  options: KvListOptions & { limit: number },
): Promise<KvEntry[]> {
  const entries: KvEntry[] = [];
  for await (const entry of kv.list(selector, options)) entries.push(entry);
  return entries;
}
