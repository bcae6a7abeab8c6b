import type { TaskRecord } from "../contracts/records.ts";
import type { Task } from "../protocol/task.ts";

// A live task that the short-term store lost is brought back from the archive in several commits. Until
// the last of them a stand-in has its id there: it has an incarnation of its own, so that the archive's
// copy is read meanwhile, and has ended, so that nothing is published in between. Its version says how
// long its log is: whoever goes on from a version knows exactly what is there.

/** What marks the incarnation of a stand-in. */
const MARK = "^";

/** Whether a task of this incarnation is the stand-in for one that is being brought back. */
export function isRefilling(incarnation: string): boolean {
  return incarnation.startsWith(MARK);
}

/** The incarnation that is meant: of a stand-in that of the task which it stands for. */
export function realIncarnation(incarnation: string): string {
  return isRefilling(incarnation) ? incarnation.slice(MARK.length) : incarnation;
}

/**
 * The stand-in for a task.
 *
 * @param record The task as the archive has it.
 * @param length Events that its log has so far.
 */
export function refilling(record: TaskRecord, length: number): TaskRecord {
  const { id, type, tags, createdAt, updatedAt } = record.task;
  const task: Task = {
    id,
    status: "cancelled",
    createdAt,
    updatedAt,
    completedAt: updatedAt,
    ...(type !== undefined && { type }),
    ...(tags !== undefined && { tags }),
  };
  return {
    task,
    incarnation: MARK + record.incarnation,
    version: length + 1,
    ...(record.hooked && { hooked: record.hooked }),
  };
}
