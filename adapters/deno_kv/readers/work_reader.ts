import type { ClaimedWork, DueKind, DueWork, ScheduledTask, Work } from "@taskcast/core/adapter";
import type { Database } from "../connection/database.ts";
import { MAX_BATCH } from "../limits.ts";

/** Reads what is due, earliest first, from the beginning of a list. */
export async function readDue(
  { kv, keys }: Database,
  nowMs: number,
  limit: number,
): Promise<DueWork> {
  const entries: DueWork["entries"] = [];
  const options = { limit: limit + 1, batchSize: Math.min(limit + 1, MAX_BATCH) };
  for await (const { key } of kv.list({ prefix: keys.all("due") }, options)) {
    const [atMs, kind, taskId] = key.slice(-3) as [number, DueKind, string];
    if (atMs > nowMs || entries.length === limit) return { entries, nextAtMs: atMs };
    entries.push({ kind, taskId, atMs });
  }
  return { entries };
}

/** Returns scheduled tasks in order, after a given entry. */
export async function readScheduled(
  { kv, keys }: Database,
  work: Work,
  { limit, after }: { limit: number; after?: ScheduledTask },
): Promise<ScheduledTask[]> {
  const all = keys.all("work", work);
  const start = after === undefined ? all : [...keys.work(work, after.atMs, after.taskId), 0];
  const options = { limit, batchSize: Math.min(limit, MAX_BATCH) };
  const found: ScheduledTask[] = [];
  for await (const { key } of kv.list({ start, end: [...all, true] }, options)) {
    const [atMs, taskId] = key.slice(-2) as [number, string];
    found.push({ taskId, atMs });
  }
  return found;
}

/**
 * Claims due tasks.
 *
 * @param take Moves a scheduled time if it is unchanged. Returns whether it did.
 */
export async function claimScheduled(
  database: Database,
  work: Work,
  { nowMs, limit }: { nowMs: number; limit: number },
  take: (task: ScheduledTask) => Promise<boolean>,
): Promise<ClaimedWork> {
  const mine: ScheduledTask[] = [];
  for (;;) {
    const wanted = limit - mine.length;
    const scheduled = await readScheduled(database, work, { limit: wanted + 1 });
    const ready = scheduled.slice(0, wanted).filter(({ atMs }) => atMs <= nowMs);
    const taken = await Promise.all(ready.map(take));
    mine.push(...ready.filter((_, at) => taken[at]));
    // If other instances were faster, more tasks may be due.
    if (taken.includes(false) && mine.length < limit) continue;
    const claimed: ClaimedWork = { taskIds: mine.map(({ taskId }) => taskId) };
    if (mine.length > 0) claimed.oldestAtMs = mine[0]!.atMs;
    const next = scheduled.slice(ready.length).find(({ taskId }) =>
      !mine.some((task) => task.taskId === taskId)
    );
    if (next !== undefined) claimed.nextAtMs = next.atMs;
    return claimed;
  }
}
