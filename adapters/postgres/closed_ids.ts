import type { Commit, RevisionExpectation, Tombstone } from "@taskcast/core/adapter";
import type { Run } from "./connection/database.ts";

/** Returns the ids that are closed among those that commits expect to be absent. */
export async function closedAmong(run: Run, commits: readonly Commit[]): Promise<Set<string>> {
  const wanted = commits
    .filter(({ expect }) => expect === "absent")
    .map(({ taskId, nowMs }) => ({ id: taskId, now_ms: nowMs }));
  if (wanted.length === 0) return new Set();
  const rows = await run<{ id: string }>(
    "SELECT r.id FROM json_to_recordset($1::text::json) AS r (id text, now_ms bigint) " +
      "JOIN LATERAL (SELECT k.until_ms FROM {closed_ids} k WHERE k.id = r.id LIMIT 1) c " +
      "ON c.until_ms > r.now_ms",
    JSON.stringify(wanted),
  );
  return new Set(rows.map(({ id }) => id));
}

/** Closes the id of an incarnation whose task is locked, and removes expired entries. */
export async function closeId(
  run: Run,
  { taskId, incarnation }: { taskId: string; incarnation: string },
  { nowMs, untilMs }: Tombstone,
): Promise<void> {
  await Promise.all([
    // Removes some at a time, and none that another transaction is removing.
    run(
      "DELETE FROM {closed_ids} WHERE id IN (SELECT id FROM {closed_ids} " +
        "WHERE until_ms <= $1::bigint ORDER BY until_ms LIMIT 100 FOR UPDATE SKIP LOCKED)",
      nowMs,
    ),
    run(
      "INSERT INTO {closed_ids} (id, incarnation, until_ms) VALUES ($1, $2, $3::bigint) " +
        "ON CONFLICT (id) DO UPDATE SET incarnation = excluded.incarnation, " +
        "until_ms = excluded.until_ms",
      taskId,
      incarnation,
      untilMs,
    ),
  ]);
}

/** Opens the id of one incarnation, or of any. The task is locked. */
export async function openId(
  run: Run,
  taskId: string,
  at: RevisionExpectation | undefined,
): Promise<void> {
  await run(
    "DELETE FROM {closed_ids} WHERE id = $1 AND ($2::text IS NULL OR incarnation = $2)",
    taskId,
    at?.incarnation ?? null,
  );
}
