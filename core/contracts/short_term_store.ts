import type { TaskStatus } from "../protocol/status.ts";
import type { BroadcastProvider } from "./broadcast.ts";
import type { Checkable } from "./health.ts";
import type {
  DueKind,
  DueTimes,
  EventDraft,
  RevisionExpectation,
  StoredEvent,
  TaskRecord,
  TaskRevision,
} from "./records.ts";
import type { Leases } from "./leases.ts";
import type { LogTrimmer } from "./log_trimmer.ts";
import type { TaskNotes } from "./task_notes.ts";
import type { TaskReader } from "./task_reader.ts";
import type { WorkQueue, WorkSchedule } from "./work_queue.ts";

/** Expectations of a commit to a live task. Later demands are added here, each optional. */
export interface LiveExpectation {
  /** The task exists and is not terminal. */
  live: true;
  /** The task is in this incarnation; otherwise the commit is refused with `REPLACED`. @default any */
  incarnation?: string;
}

/** The version of the record that a commit replaces. */
export interface VersionExpectation {
  /** Distinguishes it from a {@linkcode LiveExpectation}. */
  live?: undefined;
  /** The version being replaced. */
  version: number;
  /** The incarnation of that record. */
  incarnation: string;
  /**
   * The expiry of the lease is due at this time; otherwise the commit is refused with `NOT_DUE`. Unix
   * milliseconds. @default not checked
   */
  leaseBy?: number;
}

/** One atomic change to one task: all of it happens, or nothing. */
export interface Commit {
  /** The task. */
  taskId: string;
  /** The condition for the commit; if it does not hold, the commit is refused. */
  expect:
    /** No task has this id, and no tombstone closes it; see {@linkcode Tombstone}. */
    | "absent"
    /** The task exists and is not terminal. Every publish expects this, so it needs no read first. */
    | "live"
    /** As `"live"`, in one incarnation. The incarnation is checked before anything else. */
    | LiveExpectation
    /** The task is still at this version of this incarnation. Every transition expects this. */
    | VersionExpectation;
  /**
   * The new record; required with `"absent"` and with a version, not allowed with a live task. With a
   * version its incarnation may differ from the previous one, and the task is then in the new one.
   */
  record?: TaskRecord;
  /** The due times of the new record. They replace the previous ones; required with `record`. */
  due?: DueTimes;
  /** Events to append, in order. */
  events: readonly EventDraft[];
  /** Unix milliseconds. Becomes the timestamp of the events, unless the log is already later. */
  nowMs: number;
  /** Upper bound on events in the log; not applied to commits with a `record`. */
  maxEvents: number;
  /** Upper bound on bytes of data in the log; not applied to commits with a `record`. */
  maxBytes: number;
  /**
   * Schedules the task for work from these times on, unless it is already scheduled. `deliver`
   * applies only to tasks that are {@linkcode TaskRecord.hooked}. A commit that changes nothing schedules
   * nothing.
   */
  schedule?: WorkSchedule;
  /**
   * The lease under which events are appended; only for live tasks. If the task has another lease or
   * none, new events are refused with `LEASE_LOST`. @default not checked
   */
  lease?: string;
}

/** The reason a store refused a commit. A refused commit changes nothing. */
export type Refusal =
  | { code: "ABSENT" }
  | { code: "EXISTS" }
  /** The task is in a different incarnation from the one a {@linkcode LiveExpectation} names. */
  | { code: "REPLACED" }
  /** The record has a different version by now. */
  | { code: "CONFLICT" }
  | { code: "TERMINAL"; status: TaskStatus }
  /** The task does not have the lease that the commit names. */
  | { code: "LEASE_LOST" }
  /** The lease does not expire by the time that a {@linkcode VersionExpectation} names. */
  | { code: "NOT_DUE" }
  /** The event `at` names a different mode or field from the one its series has. */
  | { code: "SERIES_CONFLICT"; at: number; mode: string; accField?: string }
  /** The event `at` has no text to append, and its series accumulates. */
  | { code: "NO_DELTA"; at: number; accField: string }
  | { code: "SEQUENCE_GAP"; at: number; expected: number }
  | { code: "PRODUCER_FENCED"; at: number; epoch: number }
  /** The log has reached one of its bounds. */
  | { code: "TASK_FULL" }
  /** The store has reached its bound. */
  | { code: "STORE_FULL" };

/** The outcome of a commit. */
export type CommitResult =
  | {
    ok: true;
    /**
     * The stored event of each draft, in order. A draft that its producer had sent before yields the
     * event stored then, whose `index` is below `from`.
     */
    events: StoredEvent[];
    /** Index of the first appended event; equal to `length` if nothing was appended. */
    from: number;
    /** Number of events in the log after the commit. */
    length: number;
    /** Set for tasks that are {@linkcode TaskRecord.hooked}. */
    hooked?: true;
    /** The commit is stored, but {@linkcode ShortTermStore.announcesOn} failed: the engine wakes readers. */
    unannounced?: true;
  }
  | { ok: false; refusal: Refusal };

/** A tombstone for the id of a removed task. */
export interface Tombstone {
  /** Unix milliseconds. Tombstones that have expired by then may be removed. */
  nowMs: number;
  /** Unix milliseconds. Until then a commit that expects `"absent"` is refused with `EXISTS`. */
  untilMs: number;
}

/** Due work. */
export interface DueWork {
  /** Ordered by time, earliest first. */
  entries: { kind: DueKind; taskId: string; atMs: number }[];
  /** Time of the next due work after these entries; left out when there is none. */
  nextAtMs?: number;
}

/**
 * The source of truth for live tasks: a log per task with a small state at its head.
 *
 * - `commit` is atomic and takes one round trip. Commits to one task are serialised across all
 *   instances, and the store alone numbers events: 0, 1, 2 … without gaps.
 * - Once a commit is acknowledged, every later read on every instance sees it.
 * - A store that cannot be reached rejects with a `TaskcastError` `STORE_UNAVAILABLE`.
 */
export interface ShortTermStore extends TaskReader, WorkQueue, TaskNotes, LogTrimmer, Checkable {
  /**
   * The broadcast layer that commits to this store notify themselves, in the same step. If left out,
   * the engine publishes each signal.
   */
  readonly announcesOn?: BroadcastProvider;
  /**
   * A counter that increases when the connection may now lead to a different server, or to one that was
   * restored to an earlier state. The engine then compares the store with the archive, as it does after
   * a start and after failed calls. A store may leave it out if it cannot return without any call failing.
   */
  readonly interruptions?: number;
  /**
   * Leases of tasks. A store that leaves it out must ignore no lease: the engine then creates none, and
   * refuses those who ask for one with `NOT_SUPPORTED`.
   */
  readonly leases?: Leases;
  /** Whether acknowledged commits survive a restart of this process. */
  readonly durable: boolean;
  /** Checks the expectation of a commit and applies the commit, or refuses it as a whole. */
  commit(commit: Commit): Promise<CommitResult>;
  /**
   * Removes a task with its log, its series and its due work.
   *
   * @param at Removes the task only in this incarnation and, where given, at this version and length.
   * @param closing Leaves a tombstone in the same step if the task is removed. Without it, an existing
   *   tombstone of this incarnation is removed even if the task is absent, which frees the id.
   * @returns Whether the task was removed.
   */
  deleteTask(taskId: string, at?: RevisionExpectation, closing?: Tombstone): Promise<boolean>;
  /** Lists work that is due at `nowMs`. Work stays due until a commit changes it. */
  due(nowMs: number, limit: number): Promise<DueWork>;
  /**
   * Records that the archive holds a task at a revision. If the task has not changed since, it is
   * no longer scheduled for archiving but for release at `releaseAtMs`. Otherwise it is scheduled for
   * archiving at `againAtMs`.
   *
   * @returns Whether the task is still at the revision.
   */
  archived(
    taskId: string,
    at: TaskRevision,
    then: { againAtMs: number; releaseAtMs?: number },
  ): Promise<boolean>;
  /** Releases connections. Safe to call twice. */
  close(): Promise<void>;
}
