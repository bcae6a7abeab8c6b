import type { TaskRecord } from "@taskcast/core/adapter";
import { TaskcastError } from "@taskcast/core/protocol";
import type { Statements } from "../connection/statements.ts";
import type { TaskRow } from "./tables.ts";
import { TASK_NUMBERS } from "./tables.ts";

/** Adds a task with an empty log. */
export function insertTask(sql: Statements, record: TaskRecord): TaskRow {
  const { task, incarnation, version } = record;
  const hooked = record.hooked ? 1 : 0;
  const inserted = sql.one<{ task: number }>(
    "INSERT INTO {tasks} (id, incarnation, version, status, type, created_at, record, " +
      "hooked) VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING task",
    task.id,
    incarnation,
    version,
    task.status,
    task.type ?? "",
    task.createdAt,
    JSON.stringify(record),
    hooked,
  )!;
  if (inserted.task >= TASK_NUMBERS) {
    throw new TaskcastError(
      "STORE_UNAVAILABLE",
      `The SQLite file has had ${TASK_NUMBERS} tasks and takes no more: begin a new file`,
    );
  }
  insertTags(sql, inserted.task, task.tags);
  const { status } = task;
  const empty = {
    length: 0,
    bytes: 0,
    timestamp: 0,
    trimmed_through: null,
    trimmed_bytes: 0,
    entropy: null,
  };
  return { task: inserted.task, incarnation, version, status, hooked, ...empty };
}

function insertTags(sql: Statements, task: number, tags: readonly string[] = []): void {
  for (const tag of new Set(tags)) {
    sql.run("INSERT INTO {tags} (tag, task) VALUES (?, ?)", tag, task);
  }
}

/** Moves a task to the id of another record. */
export function moveTask(sql: Statements, task: number, record: TaskRecord): void {
  sql.run(
    "UPDATE {tasks} SET id = ?, record = ? WHERE task = ?",
    record.task.id,
    JSON.stringify(record),
    task,
  );
  sql.run("DELETE FROM {tags} WHERE task = ?", task);
  insertTags(sql, task, record.task.tags);
}

/** Replaces the record of a task. */
export function updateRecord(sql: Statements, task: number, record: TaskRecord): void {
  sql.run(
    "UPDATE {tasks} SET incarnation = ?, version = ?, status = ?, record = ? WHERE task = ?",
    record.incarnation,
    record.version,
    record.task.status,
    JSON.stringify(record),
    task,
  );
}
