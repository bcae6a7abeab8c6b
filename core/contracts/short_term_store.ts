import type { TaskStatus } from "../protocol/task.ts";
import type { BroadcastProvider } from "./broadcast.ts";
import type { Checkable } from "./health.ts";
import type {
  DueKind,
  DueTimes,
  EventDraft,
  LogMark,
  StoredEvent,
  TaskMark,
  TaskRecord,
} from "./records.ts";
import type { LogTrimmer } from "./log_trimmer.ts";
import type { TaskNotes } from "./task_notes.ts";
import type { TaskReader } from "./task_reader.ts";
import type { WorkMarks, WorkQueue } from "./work_queue.ts";

/** What a commit to a live task demands beside that. Demands are added here, each of them optional. */
export interface LiveExpectation {
  /** The task exists and is not terminal. */
  live: true;
  /** It is in this incarnation, or the commit is refused with `REPLACED`. @default any */
  incarnation?: string;
}

/** The place of its record that a commit replaces. */
export interface VersionExpectation {
  /** Tells it apart from a {@linkcode LiveExpectation}. */
  live?: undefined;
  /** The version that is replaced. */
  version: number;
  /** The incarnation that it is of. */
  incarnation: string;
}

/** One atomic change of one task. Either all of it happens or nothing. */
export interface Commit {
  /** The task. */
  taskId: string;
  /** What must be true, or the commit is refused. */
  expect:
    /** No task has this id, and none that was released lately had it; see {@linkcode IdClosing}. */
    | "absent"
    /** The task exists and is not terminal. What every publish asks; no read is needed before. */
    | "live"
    /** The same, and the task is in this incarnation; that is asked before anything else. */
    | LiveExpectation
    /** The task is still at this version and this life. What every transition asks. */
    | VersionExpectation;
  /**
   * The task as it is to be; needed with `absent` and a version, not allowed with a live task. With a
   * version it may have another incarnation than before: from then on the task is in that one.
   */
  record?: TaskRecord;
  /** When the record wants attention. Replaces what was due before; needed with `record`. */
  due?: DueTimes;
  /** Events to append, in order. */
  events: readonly EventDraft[];
  /** Unix milliseconds; the timestamp of the events, unless the log is already later. */
  nowMs: number;
  /** Events that the log may hold at most; does not count for commits with a `record`. */
  maxEvents: number;
  /** Bytes of data that the log may hold at most; likewise. */
  maxBytes: number;
  /**
   * Marks the task for work from these times on, unless it is marked already. The mark `deliver` is
   * for tasks that are {@linkcode TaskRecord.hooked} only. A commit that changes nothing marks
   * nothing.
   */
  marks?: WorkMarks;
}

/** Why a store refused a commit. Nothing was changed. */
export type Refusal =
  | { code: "ABSENT" }
  | { code: "EXISTS" }
  /** The id is in another incarnation than the one that a {@linkcode LiveExpectation} names. */
  | { code: "REPLACED" }
  /** The version is another one by now. */
  | { code: "CONFLICT" }
  | { code: "TERMINAL"; status: TaskStatus }
  /** The event `at` says another mode or field than its series has. */
  | { code: "SERIES_CONFLICT"; at: number; mode: string; accField?: string }
  /** The event `at` has nothing that its series, which accumulates, could append. */
  | { code: "NO_DELTA"; at: number; accField: string }
  | { code: "SEQUENCE_GAP"; at: number; expected: number }
  | { code: "PRODUCER_FENCED"; at: number; epoch: number }
  /** The log is at one of its bounds. */
  | { code: "TASK_FULL" }
  /** The store is at its bound. */
  | { code: "STORE_FULL" };

/** What became of a commit. */
export type CommitResult =
  | {
    ok: true;
    /**
     * One for each draft, in order, as stored. For a draft that its producer had sent before, the
     * event that was stored then; its `index` is then below `from`.
     */
    events: StoredEvent[];
    /** Index of the first event that was appended now; equal to `length` when none was. */
    from: number;
    /** Events in the log now. */
    length: number;
    /** Set for tasks that are {@linkcode TaskRecord.hooked}. */
    hooked?: true;
    /** The commit is stored, and {@linkcode ShortTermStore.wakes} could not be told: the engine does it. */
    untold?: true;
  }
  | { ok: false; refusal: Refusal };

/** How long an id is closed behind a task that is removed. */
export interface IdClosing {
  /** Unix milliseconds; tombstones whose time is over by then may be removed. */
  nowMs: number;
  /** Commits before this time find that the id is not `absent`: they are refused with `EXISTS`. */
  untilMs: number;
}

/** Work whose time has come. */
export interface DueWork {
  /** Earliest first. */
  entries: { kind: DueKind; taskId: string; atMs: number }[];
  /** When the next work after these is due; left out when there is none. */
  nextAtMs?: number;
}

/**
 * The source of truth for live tasks: a log per task with a small state at its head.
 *
 * - `commit` is atomic and is one round trip. Commits to one task happen one after another, whoever
 *   makes them; only the store numbers events, 0, 1, 2 … without holes.
 * - A commit that was acknowledged is seen by every later read, on every instance.
 * - What cannot be reached rejects with a `TaskcastError` `STORE_UNAVAILABLE`.
 */
export interface ShortTermStore extends TaskReader, WorkQueue, TaskNotes, LogTrimmer, Checkable {
  /**
   * The broadcast layer that each commit of this store wakes by itself, in the same step. Left out:
   * the engine does it.
   */
  readonly wakes?: BroadcastProvider;
  /** What it acknowledged is there when this process is started again. */
  readonly durable: boolean;
  /** Checks what the commit expects and carries it out, or refuses it whole. */
  commit(commit: Commit): Promise<CommitResult>;
  /**
   * Removes the task, its log, its series and everything that was due. Tells whether it did.
   *
   * @param at Only if the task is in this life and, where these are given, exactly there.
   * @param closing Leaves a tombstone in the same step, if it removes the task. Without it, a tombstone
   * of this life is removed, also if the task is not there: the id is free.
   */
  deleteTask(taskId: string, at?: TaskMark, closing?: IdClosing): Promise<boolean>;
  /** Work that is due at `nowMs`. It stays due until a commit changes it. */
  due(nowMs: number, limit: number): Promise<DueWork>;
  /**
   * Says that the archive has a task as it was at a mark. If the task is still there, it is not
   * marked for the archive any more, and for release at `releaseAtMs`; if it went on, it is marked
   * for the archive at `againAtMs`.
   *
   * @returns Whether it is still there.
   */
  archived(
    taskId: string,
    at: LogMark,
    then: { againAtMs: number; releaseAtMs?: number },
  ): Promise<boolean>;
  /** Releases connections. Safe to call twice. */
  close(): Promise<void>;
}
