import type { TaskRecord } from "../contracts/records.ts";
import type { Task } from "../protocol/task.ts";
import { isTerminal } from "../protocol/task.ts";

// A task that is deleted while the archive cannot be asked stays in the short-term store as a record
// with an incarnation of its own. It has ended, so nothing is published to it, and it keeps what lists
// find it by, so that it stands in for the archive's copy there; readers are told of neither.

/** What marks the incarnation of a task that waits for its deletion. */
const MARK = "~";

/** Whether a task of this incarnation was deleted, and waits for the archive. */
export function isPendingDeletion(incarnation: string): boolean {
  return incarnation.startsWith(MARK);
}

/**
 * A task that is deleted, as it waits for the archive.
 *
 * @param incarnation A new one.
 */
export function pendingDeletion(
  record: TaskRecord,
  { incarnation, nowMs }: { incarnation: string; nowMs: number },
): TaskRecord {
  const { id, type, tags, status, createdAt, updatedAt, completedAt } = record.task;
  const task: Task = {
    id,
    status: isTerminal(status) ? status : "cancelled",
    createdAt,
    updatedAt: Math.max(nowMs, updatedAt),
    completedAt: completedAt ?? nowMs,
    ...(type !== undefined && { type }),
    ...(tags !== undefined && { tags }),
  };
  return {
    task,
    incarnation: MARK + incarnation.slice(MARK.length),
    version: record.version + 1,
    deletes: record.incarnation,
    ...(record.hooked && { hooked: record.hooked }),
  };
}

/** The same for a task of which only the archive may know. */
export function pendingDeletionOfUnknown(
  taskId: string,
  { incarnation, nowMs }: { incarnation: string; nowMs: number },
): TaskRecord {
  const task: Task = { id: taskId, status: "cancelled", createdAt: nowMs, updatedAt: nowMs };
  return pendingDeletion({ task, incarnation: "", version: 0 }, { incarnation, nowMs });
}
