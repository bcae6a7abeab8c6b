import type { StoredDueTimes } from "@taskcast/core/adapter";
import { DUE_KINDS } from "@taskcast/core/adapter";
import type { Statements } from "../connection/statements.ts";

/** Replaces the due times of a task. */
export function setDueTimes(sql: Statements, task: number, due: StoredDueTimes): void {
  sql.run("DELETE FROM {due} WHERE task = ?", task);
  for (const kind of DUE_KINDS) {
    const atMs = due[kind];
    if (atMs === undefined) continue;
    sql.run("INSERT INTO {due} (at_ms, kind, task) VALUES (?, ?, ?)", atMs, kind, task);
  }
}

/** Returns the expiry of a task's lease, or `undefined` if it has none. */
export function leaseDueMs(sql: Statements, task: number): number | undefined {
  return sql.one<{ atMs: number }>(
    "SELECT at_ms AS atMs FROM {due} WHERE task = ? AND kind = 'lease'",
    task,
  )?.atMs;
}

/** Sets the expiry of a task's lease; other due times stay. */
export function setLeaseDue(sql: Statements, task: number, atMs: number): void {
  sql.run("DELETE FROM {due} WHERE task = ? AND kind = 'lease'", task);
  sql.run("INSERT INTO {due} (at_ms, kind, task) VALUES (?, 'lease', ?)", atMs, task);
}
