import type { TaskRecord } from "../../contracts/records.ts";

// When another task takes over the id of an archived task, the archive keeps the older one under an id
// that no caller can choose, since "@" is not allowed in ids.

/** Tag by which the archive finds displaced tasks. */
export const DISPLACED_TAG = "@displaced";

/** Returns the id under which the archive keeps a displaced task. */
export function displacedId(taskId: string, incarnation: string): string {
  return `${taskId}@${incarnation}`;
}

/** Returns whether an id is that of a displaced task. */
export function isDisplaced(taskId: string): boolean {
  return taskId.includes("@");
}

/** Returns the record under which the archive keeps a displaced task. */
export function displaced(record: TaskRecord): TaskRecord {
  const { task, incarnation } = record;
  const tags = [...task.tags ?? [], DISPLACED_TAG];
  return { ...record, task: { ...task, id: displacedId(task.id, incarnation), tags } };
}

/** Returns the record of a displaced task under its original id. */
export function undisplaced(record: TaskRecord): TaskRecord {
  const { tags = [], ...task } = record.task;
  const own = tags.filter((tag) => tag !== DISPLACED_TAG);
  const id = task.id.slice(0, task.id.lastIndexOf("@"));
  return { ...record, task: { ...task, id, ...(own.length > 0 && { tags: own }) } };
}
