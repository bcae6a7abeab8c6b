import type { Checkable } from "./health.ts";
import type { StoredEvent, TaskRecord, TaskRevision } from "./records.ts";
import type { LogTrimmer } from "./log_trimmer.ts";
import type { TaskReader } from "./task_reader.ts";
import type { WorkQueue } from "./work_queue.ts";

/** A part of a task to write to the archive. */
export interface ArchivePart {
  /** The record as of these events, or later. */
  record: TaskRecord;
  /** Consecutive events of its log, in order. */
  events: readonly StoredEvent[];
  /** Schedules the task for `clean` from this time on, unless it is already scheduled. Unix milliseconds. */
  cleanAtMs?: number;
}

/** The archive's position in one incarnation of a task. */
export type ArchivePosition =
  | {
    /** This incarnation was deleted, or a later one has replaced it under its id. */
    deleted: true;
  }
  | {
    deleted?: false;
    /** Version of the archived record; 0 when there is none. */
    version: number;
    /** Number of archived events. */
    length: number;
    /** Entropy of the newest archived event; shows whether another log continues this one. */
    entropy?: number;
    /** Another incarnation holds the id, and nothing of this one is archived. */
    other?: {
      /** The incarnation that holds the id. */
      incarnation: string;
      /** Creation time of its task; Unix milliseconds. */
      createdAt: number;
    };
  };

/**
 * The archive: permanent storage of tasks and their logs, written behind the short-term store.
 *
 * An archived log is always a prefix of the log, without gaps other than trimmed events. Reads return
 * what the short-term store would return. Archived tasks are scheduled for `clean` only.
 */
export interface LongTermStore
  extends TaskReader, LogTrimmer, Pick<WorkQueue, "claim" | "schedule">, Checkable {
  /** Returns the archive's position in each of these incarnations, in the same order. */
  positions(
    tasks: readonly { taskId: string; incarnation: string }[],
  ): Promise<ArchivePosition[]>;
  /**
   * Writes parts of different tasks in one step.
   *
   * Repeated, stale and overlapping parts are harmless: existing events are kept, an older record
   * changes nothing, events that would leave a gap are not stored, and a deleted incarnation stays
   * deleted. If two incarnations have one id, the later one wins. An
   * {@linkcode TaskRecord.unconfirmed} incarnation never replaces another: nothing of it is stored
   * while another holds the id.
   *
   * @returns The archive's new position in each task, in the same order.
   */
  archive(parts: readonly ArchivePart[]): Promise<ArchivePosition[]>;
  /**
   * Moves an incarnation of a task, with its log and its schedule, to the id of `record`, which frees its
   * own id.
   *
   * @param record The new record; no task may have its id.
   * @returns Whether the incarnation was there.
   */
  moveTask(taskId: string, incarnation: string, record: TaskRecord): Promise<boolean>;
  /**
   * Deletes an incarnation of a task, and remembers it for at least {@linkcode TOMBSTONE_MS}: parts of
   * it that arrive later are not stored.
   *
   * @returns Whether anything was deleted.
   */
  deleteTask(taskId: string, incarnation: string): Promise<boolean>;
  /** Releases connections. Safe to call twice. */
  close(): Promise<void>;
}

/** Minimum time in milliseconds for which an archive remembers a deleted incarnation: one day. */
export const TOMBSTONE_MS = 86_400_000;

/** Returns whether the archive holds a task at a revision. */
export function isArchived(
  position: ArchivePosition,
  { version, length }: Pick<TaskRevision, "version" | "length">,
): boolean {
  return !position.deleted && position.version >= version && position.length >= length;
}
