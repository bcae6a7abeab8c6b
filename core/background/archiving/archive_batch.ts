import type { ArchivePosition } from "../../contracts/long_term_store.ts";
import type { TaskHead, TaskRecord, TaskRevision } from "../../contracts/records.ts";

/** A task that is being archived. */
export interface ArchiveTask {
  head: TaskHead;
  position: ArchivePosition;
  /** The archive's newest event is known to be that of the short-term store. */
  isCompared?: boolean;
  /** Some of it was written since it was claimed. */
  isServed?: boolean;
}

/** What a task has of one write. */
export interface BatchPart {
  item: ArchiveTask;
  /** Events at most. */
  limit: number;
}

/** Tasks read at a time. */
const READ_TASKS = 16;

/** A mark that no task is at: says that it went on. */
export const NO_REVISION: TaskRevision = { incarnation: "", version: 0, length: 0 };

/**
 * Who is in the next write: the first tasks that fill it together, and those that have everything and
 * want only to be settled. Few tasks with many events each, since to read a task and to look it up in
 * the archive costs as much as some dozens of events.
 */
export function nextBatch(
  items: readonly ArchiveTask[],
  archiveBatch: number,
): { shares: BatchPart[]; rest: ArchiveTask[] } {
  const shares: BatchPart[] = [];
  const rest: ArchiveTask[] = [];
  let left = archiveBatch;
  for (const item of items) {
    const { head, position } = item;
    const missing = position.deleted ? 0 : Math.max(0, head.length - position.length);
    if (missing > 0 && left <= 0 || shares.length === READ_TASKS) {
      rest.push(item);
      continue;
    }
    shares.push({ item, limit: Math.max(1, Math.min(missing, left)) });
    left -= missing;
  }
  return { shares, rest };
}

/** Whether the archive is where it was. */
export function isSamePosition(before: ArchivePosition, after: ArchivePosition): boolean {
  if (before.deleted || after.deleted) return false;
  return before.length === after.length && before.version === after.version;
}

/** Where a task is. */
export function revisionOf(
  { record, length }: { record: TaskRecord; length: number },
): TaskRevision {
  return { incarnation: record.incarnation, version: record.version, length };
}
