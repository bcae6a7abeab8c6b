import type { ListKey, ListPage, ListQuery, TaskRecord } from "@taskcast/core/adapter";
import { compareNewestFirst, matchesListQuery } from "@taskcast/core/adapter";
import { readText } from "../rows/blobs.ts";
import type { Database } from "../connection/database.ts";
import { merged } from "./merged.ts";
import type { Head, ListedValue, Text } from "../rows/values.ts";

/** Maximum number of lists read in parallel; beyond it, all tasks are scanned. */
const MAX_LISTS = 16;

/** Tasks read together: two keys each. */
const AT_ONCE = 5;

/** Groups of tasks read in parallel. */
const GROUPS = 8;

/** Lists tasks, newest first, from the shortest lists that contain all matches. */
export async function listTasks(database: Database, query: ListQuery): Promise<ListPage> {
  const { limit } = query;
  const found: TaskRecord[] = [];
  let group: string[] = [];
  const seen = new Set<string>();
  const flush = async () => {
    found.push(...await readRecords(database, query, group));
    group = [];
  };
  for await (const { id } of listed(database, query)) {
    if (seen.has(id)) continue; // It changed its status in between and was in both lists.
    seen.add(id);
    group.push(id);
    if (group.length < Math.min(AT_ONCE * GROUPS, limit + 1 - found.length)) continue;
    await flush();
    if (found.length > limit) break;
  }
  if (found.length <= limit) await flush();
  return { tasks: found.slice(0, limit), more: found.length > limit };
}

async function* listed(database: Database, query: ListQuery): AsyncGenerator<ListKey, void> {
  const { kv, keys } = database;
  const { after, limit, statuses, types } = query;
  const lists = listsFor(query).map(async function* (list) {
    const selector = keys.listed(list, after);
    const options = { reverse: true, batchSize: Math.min(limit + 1, 100) };
    for await (const { key, value } of kv.list(selector, options)) {
      const { status, type } = value as ListedValue;
      if (!matchesListQuery({ status, type }, { statuses, types })) continue;
      const [createdAt, id] = key.slice(-2) as [number, string];
      yield { createdAt, id };
    }
  });
  yield* merged(lists, compareNewestFirst);
}

/** Returns the lists that together contain every task a query asks for. */
function listsFor({ tag, types, statuses }: ListQuery): [string, ...string[]][] {
  if (tag !== undefined) return [["tag", tag]];
  if (
    types !== undefined && types.length <= MAX_LISTS && !types.some((type) => type.includes("*"))
  ) {
    return [...new Set(types)].map((type) => ["type", type]);
  }
  if (statuses !== undefined) return [...new Set(statuses)].map((status) => ["status", status]);
  return [["all"]];
}

async function readRecords(
  database: Database,
  query: ListQuery,
  ids: readonly string[],
): Promise<TaskRecord[]> {
  const groups: Promise<(TaskRecord | undefined)[]>[] = [];
  for (let at = 0; at < ids.length; at += AT_ONCE) {
    groups.push(readGroup(database, query, ids.slice(at, at + AT_ONCE)));
  }
  return (await Promise.all(groups)).flat().filter((record) => record !== undefined);
}

async function readGroup(
  database: Database,
  query: ListQuery,
  ids: readonly string[],
): Promise<(TaskRecord | undefined)[]> {
  const { kv, keys } = database;
  const entries = await kv.getMany(ids.flatMap((id) => [keys.head(id), keys.record(id)]));
  return await Promise.all(ids.map(async (_, at) => {
    const head = entries[2 * at]!.value as Head | null;
    const text = entries[2 * at + 1]!.value as Text | null;
    if (head === null || text === null) return undefined;
    const record: TaskRecord = JSON.parse(await readText(database, head.life, text));
    return matchesListQuery(record.task, query) ? record : undefined;
  }));
}
