import type { ArchivePosition } from "../../contracts/long_term_store.ts";
import type { TaskHead, TaskRecord, TaskRevision } from "../../contracts/records.ts";

/** A task that is being archived. */
export interface ArchiveTask {
  head: TaskHead;
  position: ArchivePosition;
  /** Set if the archive's newest event is known to be the same in the short-term store. */
  isCompared?: boolean;
  /** Set if a part of it was written since it was claimed. */
  isServed?: boolean;
}

/** One task's part of a batch. */
export interface BatchPart {
  task: ArchiveTask;
  /** Maximum number of events. */
  limit: number;
}

/** Tasks read at a time. */
const READ_TASKS = 16;

/**
 * Selects the next batch: the first tasks that fill it, and tasks that are complete and only need to be
 * scheduled. A batch has few tasks with many events each, because reading a task and its position in the
 * archive costs as much as some dozens of events.
 */
export function nextBatch(
  tasks: readonly ArchiveTask[],
  archiveBatch: number,
): { batch: BatchPart[]; rest: ArchiveTask[] } {
  const batch: BatchPart[] = [];
  const rest: ArchiveTask[] = [];
  let left = archiveBatch;
  for (const task of tasks) {
    const { head, position } = task;
    const missing = position.deleted ? 0 : Math.max(0, head.length - position.length);
    if (missing > 0 && left <= 0 || batch.length === READ_TASKS) {
      rest.push(task);
      continue;
    }
    batch.push({ task, limit: Math.max(1, Math.min(missing, left)) });
    left -= missing;
  }
  return { batch, rest };
}

/** Returns whether two positions of the archive in a task are equal. */
export function isSamePosition(before: ArchivePosition, after: ArchivePosition): boolean {
  if (before.deleted || after.deleted) return false;
  return before.length === after.length && before.version === after.version;
}

/** Returns the revision of a task. */
export function revisionOf(
  { record, length }: { record: TaskRecord; length: number },
): TaskRevision {
  return { incarnation: record.incarnation, version: record.version, length };
}
