import type { TaskRecord } from "../contracts/records.ts";

// A task in the archive whose id another one has taken is kept there under an id that no caller can
// give a task, since "@" is not allowed in one.

/** Tags the tasks that were displaced, so that the archive finds them. */
export const DISPLACED_TAG = "@displaced";

/** The id under which the archive keeps a task that was displaced. */
export function displacedId(taskId: string, incarnation: string): string {
  return `${taskId}@${incarnation}`;
}

/** Whether an id is that of a task that was displaced. */
export function isDisplaced(taskId: string): boolean {
  return taskId.includes("@");
}

/** A task as the archive keeps it when another has its id. */
export function displaced(record: TaskRecord): TaskRecord {
  const { task, incarnation } = record;
  const tags = [...task.tags ?? [], DISPLACED_TAG];
  return { ...record, task: { ...task, id: displacedId(task.id, incarnation), tags } };
}

/** A task as it was before it was displaced. */
export function undisplaced(record: TaskRecord): TaskRecord {
  const { tags = [], ...task } = record.task;
  const own = tags.filter((tag) => tag !== DISPLACED_TAG);
  const id = task.id.slice(0, task.id.lastIndexOf("@"));
  return { ...record, task: { ...task, id, ...(own.length > 0 && { tags: own }) } };
}
