import type { TaskRecord } from "../../contracts/records.ts";
import type { Task } from "../../protocol/task.ts";

// A live task that the short-term store lost is restored from the archive in several commits. Until the
// last one, a stand-in holds its id: it has an incarnation of its own, so that reads are served from the
// archive meanwhile, and is terminal, so that nothing is published in between. Its version encodes the
// length of its log, so an instance that continues from a version knows exactly what is stored.

/** Prefix of the incarnation of a stand-in. */
const MARK = "^";

/** Returns whether an incarnation is that of a stand-in for a task that is being restored. */
export function isRefilling(incarnation: string): boolean {
  return incarnation.startsWith(MARK);
}

/** Returns the incarnation of the task itself, also when given that of its stand-in. */
export function realIncarnation(incarnation: string): string {
  return isRefilling(incarnation) ? incarnation.slice(MARK.length) : incarnation;
}

/**
 * Returns the stand-in for a task.
 *
 * @param record The archived record.
 * @param length Number of events restored so far.
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
