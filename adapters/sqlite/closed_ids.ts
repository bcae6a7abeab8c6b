import type { RevisionExpectation, Tombstone } from "@taskcast/core/adapter";
import type { Statements } from "./connection/statements.ts";

/** Returns true if an id is that of a recently released task. */
export function isClosed(sql: Statements, taskId: string, nowMs: number): boolean {
  const text = "SELECT 1 FROM {closed_ids} WHERE id = ? AND until_ms > ?";
  return sql.one(text, taskId, nowMs) !== undefined;
}

/** Closes the id of an incarnation, and removes expired entries. */
export function closeId(
  sql: Statements,
  { taskId, incarnation }: { taskId: string; incarnation: string },
  { nowMs, untilMs }: Tombstone,
): void {
  sql.run(
    "DELETE FROM {closed_ids} WHERE id IN " +
      "(SELECT id FROM {closed_ids} WHERE until_ms <= ? ORDER BY until_ms LIMIT 100)",
    nowMs,
  );
  sql.run(
    "INSERT OR REPLACE INTO {closed_ids} (id, incarnation, until_ms) VALUES (?, ?, ?)",
    taskId,
    incarnation,
    untilMs,
  );
}

/** Opens the id of one incarnation, or of any. */
export function openId(sql: Statements, taskId: string, at: RevisionExpectation | undefined): void {
  const ofLife = at === undefined ? "" : " AND incarnation = ?";
  const values = at === undefined ? [taskId] : [taskId, at.incarnation];
  sql.run(`DELETE FROM {closed_ids} WHERE id = ?${ofLife}`, ...values);
}
