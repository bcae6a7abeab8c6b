import type { TaskRecord } from "../../contracts/records.ts";
import type { Task } from "../../protocol/task.ts";
import { isTerminal } from "../../protocol/status.ts";

// A task deleted while the archive cannot be reached stays in the short-term store as a record with an
// incarnation of its own. The record is terminal, so nothing can be published to it, and keeps the
// fields that lists filter by, so that it hides the archive's copy there. Callers see neither.

/** Prefix of the incarnation of a task that awaits its deletion. */
const MARK = "~";

/** Returns whether an incarnation is that of a deleted task that awaits the archive. */
export function isPendingDeletion(incarnation: string): boolean {
  return incarnation.startsWith(MARK);
}

/**
 * Returns the record of a deleted task that awaits the archive.
 *
 * @param incarnation A new incarnation.
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

/** Returns the same record for a task that at most the archive has. */
export function pendingDeletionOfUnknown(
  taskId: string,
  { incarnation, nowMs }: { incarnation: string; nowMs: number },
): TaskRecord {
  const task: Task = { id: taskId, status: "cancelled", createdAt: nowMs, updatedAt: nowMs };
  return pendingDeletion({ task, incarnation: "", version: 0 }, { incarnation, nowMs });
}
