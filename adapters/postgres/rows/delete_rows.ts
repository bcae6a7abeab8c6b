import type { Run } from "../connection/database.ts";

/** Tables with rows of archived tasks; the short-term store has the same. */
export const LOG_TABLES: readonly string[] = [
  "due",
  "folded_events",
  "trimmed",
  "events",
  "classes",
  "series_parts",
  "series",
  "tasks",
];

/** Tables with rows of tasks in the short-term store. */
export const LIVE_TABLES: readonly string[] = [
  "producer_events",
  "producers",
  "notes",
  ...LOG_TABLES,
];

/** Deletes the rows of locked tasks. */
export async function deleteRows(
  run: Run,
  tables: readonly string[],
  tasks: readonly number[],
): Promise<void> {
  const numbers = JSON.stringify(tasks.map((task) => ({ task })));
  await Promise.all(tables.map((table) =>
    run(
      `DELETE FROM {${table}} d USING json_to_recordset($1::text::json) AS r (task bigint) ` +
        "WHERE d.task = r.task",
      numbers,
    )
  ));
}
