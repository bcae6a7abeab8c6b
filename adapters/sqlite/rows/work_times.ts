import type { ClaimedWork, Work } from "@taskcast/core/adapter";
import type { Statements } from "../connection/statements.ts";

/** Schedules a task for work from a time on, replacing any earlier time, or removes it. */
export function setWorkTime(
  sql: Statements,
  work: Work,
  task: number,
  atMs: number | undefined,
): void {
  if (atMs === undefined) {
    sql.run("DELETE FROM {archive_work} WHERE work = ? AND task = ?", work, task);
  } else {
    sql.run(
      "INSERT OR REPLACE INTO {archive_work} (work, task, at_ms) VALUES (?, ?, ?)",
      work,
      task,
      atMs,
    );
  }
}

/** Schedules a task for work from a time on, unless it is scheduled already. */
export function scheduleOnce(sql: Statements, work: Work, task: number, atMs: number): void {
  sql.run(
    "INSERT OR IGNORE INTO {archive_work} (work, task, at_ms) VALUES (?, ?, ?)",
    work,
    task,
    atMs,
  );
}

/** Returns the work that can be claimed, and when the next is due. */
export function claimable(
  sql: Statements,
  work: Work,
  { nowMs, limit }: { nowMs: number; limit: number },
): { tasks: number[]; answer: ClaimedWork } {
  const rows = sql.all<{ task: number; id: string; atMs: number }>(
    "SELECT w.task, t.id, w.at_ms AS atMs FROM {archive_work} w JOIN {tasks} t " +
      "ON t.task = w.task WHERE w.work = ? ORDER BY w.at_ms, w.task LIMIT ?",
    work,
    limit + 1,
  );
  const claimed = rows.filter(({ atMs }) => atMs <= nowMs).slice(0, limit);
  const next = rows[claimed.length];
  return {
    tasks: claimed.map(({ task }) => task),
    answer: {
      taskIds: claimed.map(({ id }) => id),
      ...(claimed.length > 0 && { oldestAtMs: claimed[0]!.atMs }),
      ...(next && { nextAtMs: next.atMs }),
    },
  };
}
