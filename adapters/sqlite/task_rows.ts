import type { TaskRecord } from "@taskcast/core";
import type { Statements } from "./statements.ts";
import type { TaskRow } from "./tables.ts";

/** Adds a task with an empty log. */
export function insertTask(sql: Statements, record: TaskRecord): TaskRow {
  const { task, incarnation, version } = record;
  const hooked = record.hooked ? 1 : 0;
  const inserted = sql.one<{ task: number }>(
    "INSERT INTO {tasks} (id, incarnation, version, status, type, created_at, record, length, " +
      "data_bytes, timestamp, hooked) VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0, 0, ?) RETURNING task",
    task.id,
    incarnation,
    version,
    task.status,
    task.type ?? "",
    task.createdAt,
    JSON.stringify(record),
    hooked,
  )!;
  for (const tag of new Set(task.tags)) {
    sql.run("INSERT INTO {tags} (tag, task) VALUES (?, ?)", tag, inserted.task);
  }
  const { status } = task;
  const empty = { length: 0, data_bytes: 0, timestamp: 0, hooked, trimmed_through: null };
  return { task: inserted.task, incarnation, version, status, ...empty };
}

/** Replaces what is known of a task. */
export function updateRecord(sql: Statements, task: number, record: TaskRecord): void {
  sql.run(
    "UPDATE {tasks} SET version = ?, status = ?, record = ? WHERE task = ?",
    record.version,
    record.task.status,
    JSON.stringify(record),
    task,
  );
}

/** Writes where a task's log ends. */
export function updateLog(sql: Statements, { length, data_bytes, timestamp, task }: TaskRow): void {
  sql.run(
    "UPDATE {tasks} SET length = ?, data_bytes = ?, timestamp = ? WHERE task = ?",
    length,
    data_bytes,
    timestamp,
    task,
  );
}
