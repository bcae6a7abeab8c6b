import type { Checkable } from "./health.ts";
import type { LogMark, StoredEvent, TaskRecord } from "./records.ts";
import type { LogTrimmer } from "./log_trimmer.ts";
import type { TaskReader } from "./task_reader.ts";
import type { WorkQueue } from "./work_queue.ts";

/** Part of a task for the archive. */
export interface ArchivePart {
  /** The task as it was when its log had all these events, or later. */
  record: TaskRecord;
  /** Some of its log, in order and without holes. */
  events: readonly StoredEvent[];
  /** Marks the task for `clean` from then on, unless it is marked already. */
  cleanAtMs?: number;
}

/** What an archive has of one life of a task. */
export type ArchivePosition =
  | {
    /** This life was deleted, or a later one of the same id has taken its place. */
    deleted: true;
  }
  | {
    deleted?: false;
    /** The version of the record; 0 when there is none. */
    version: number;
    /** Events. */
    length: number;
    /** The entropy of the newest of them; tells whether another log goes on from here. */
    entropy?: number;
    /** Another life has the id, and of this one there is nothing. */
    other?: {
      /** That life. */
      incarnation: string;
      /** When it was created; Unix milliseconds. */
      createdAt: number;
    };
  };

/**
 * The archive: tasks and their logs for good, written behind the short-term store.
 *
 * What it has of a log is always the beginning of it, without holes but for events that were
 * trimmed. Its answers are those that the short-term store would give. Its tasks are marked for
 * `clean` only.
 */
export interface LongTermStore
  extends TaskReader, LogTrimmer, Pick<WorkQueue, "claim" | "mark">, Checkable {
  /** What the archive has of these lives, in the same order. */
  positions(
    tasks: readonly { taskId: string; incarnation: string }[],
  ): Promise<ArchivePosition[]>;
  /**
   * Writes parts of different tasks, in one step.
   *
   * Harmless when repeated, out of date or overlapping: events that are there are left as they are,
   * an older version of the record changes nothing, events that would leave a hole are not taken,
   * and a life that was deleted stays deleted. Of two lives of one id the one created later stays,
   * but an {@linkcode TaskRecord.unconfirmed} one never takes the place of another: nothing of it is
   * taken while another has the id.
   *
   * @returns What the archive now has of each, in the same order.
   */
  archive(parts: readonly ArchivePart[]): Promise<ArchivePosition[]>;
  /**
   * Has a life of a task under the id of `record` from now on, with its log and its marks, so that its
   * own id is free. Tells whether it was there.
   *
   * @param record What replaces its record; its id is one that no task has.
   */
  moveTask(taskId: string, incarnation: string, record: TaskRecord): Promise<boolean>;
  /**
   * Deletes this life of a task, and remembers for {@linkcode TOMBSTONE_MS} that it did: parts of
   * it that are still on their way are not taken. Tells whether there was something.
   */
  deleteTask(taskId: string, incarnation: string): Promise<boolean>;
  /** Releases connections. Safe to call twice. */
  close(): Promise<void>;
}

/** Milliseconds for which a long-term store remembers a deleted life at least: a day. */
export const TOMBSTONE_MS = 86_400_000;

/** Whether the archive has a task as it is at a mark. */
export function isArchived(
  position: ArchivePosition,
  { version, length }: Pick<LogMark, "version" | "length">,
): boolean {
  return !position.deleted && position.version >= version && position.length >= length;
}
