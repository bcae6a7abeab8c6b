import type { EventFilter } from "../protocol/event.ts";
import type { TaskStatus } from "../protocol/task.ts";
import type {
  DueKind,
  DueTimes,
  EventDraft,
  SeriesFold,
  StoredEvent,
  TaskHead,
  TaskRecord,
} from "./records.ts";

/** One atomic change of one task. Either all of it happens or nothing. */
export interface Commit {
  /** The task. */
  taskId: string;
  /** What must be true, or the commit is refused. */
  expect:
    /** No task has this id. */
    | "absent"
    /** The task exists and is not terminal. What every publish asks; no read is needed before. */
    | "live"
    /** The task is still at this version and this life. What every transition asks. */
    | { version: number; incarnation: string };
  /** The task as it is to be; needed with `absent` and a version, not allowed with `live`. */
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
}

/** Why a store refused a commit. Nothing was changed. */
export type Refusal =
  | { code: "ABSENT" }
  | { code: "EXISTS" }
  /** The version is another one by now. */
  | { code: "CONFLICT" }
  | { code: "TERMINAL"; status: TaskStatus }
  /** The event `at` says another mode or field than its series has. */
  | { code: "SERIES_CONFLICT"; at: number; mode: string; accField?: string }
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
  }
  | { ok: false; refusal: Refusal };

/** Which part of a log. */
export interface LogQuery {
  /** Only events with a higher index; -1 is from the first. */
  after: number;
  /** Only events with this index or a lower one. @default the newest */
  through?: number;
  /** Most events returned; 1 or more. */
  limit: number;
  /** Only events that match. @default all */
  filter?: EventFilter;
  /** Leaves out the events of `latest` and `accumulate` series. @default {false} */
  plain?: boolean;
  /** Reads from the newest backward; events then come newest first. @default {false} */
  backward?: boolean;
}

/** Part of a log, and where the task stands, of one moment. */
export interface LogPage {
  /** The events; fewer than `limit` does not mean that there are no more, see `scannedTo`. */
  events: StoredEvent[];
  /**
   * Everything between the start of the query and this index (inclusive) has been looked at: go
   * on there. At the end of the query it is its last index: `min(through, length - 1)`, or
   * `after + 1` when reading backward.
   */
  scannedTo: number;
  /** Events in the log. */
  length: number;
  /** The life of the task id that the log belongs to. */
  incarnation: string;
  /** The task's state. */
  status: TaskStatus;
}

/** The folds of a task's series, and where it stands, of one moment. */
export interface LogView {
  /** One for each `latest` or `accumulate` series whose newest event comes after the query's. */
  series: SeriesFold[];
  /** Events in the log that the folds count through. */
  length: number;
  /** The life of the task id. */
  incarnation: string;
  /** The task's state. */
  status: TaskStatus;
}

/** Which tasks, newest first. */
export interface ListQuery {
  /** One of these states. @default all */
  statuses?: readonly TaskStatus[];
  /** One of these types; wildcards as in event filters. @default all */
  types?: readonly string[];
  /** With this tag. */
  tag?: string;
  /** Most tasks returned; 1 or more. */
  limit: number;
  /** Only tasks that come after this one in the list. */
  after?: { createdAt: number; id: string };
}

/** Tasks, newest first. */
export interface ListPage {
  /** The tasks, by `createdAt` and then `id`, both descending. */
  tasks: TaskRecord[];
  /** Whether more may follow. */
  more: boolean;
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
 * - Reading costs in proportion to what is returned, not to the length of the log.
 * - What cannot be reached rejects with a `TaskcastError` `STORE_UNAVAILABLE`. An absent task is
 *   `undefined`, never an error.
 */
export interface ShortTermStore {
  /** Checks what the commit expects and carries it out, or refuses it whole. */
  commit(commit: Commit): Promise<CommitResult>;
  /** A task and the length of its log. */
  getTask(taskId: string): Promise<TaskHead | undefined>;
  /** Tasks, newest first; filtered and paged by the store. */
  listTasks(query: ListQuery): Promise<ListPage>;
  /** Removes the task, its log, its series and what was due. Tells whether there was one. */
  deleteTask(taskId: string): Promise<boolean>;
  /** Part of the log. */
  readLog(taskId: string, query: LogQuery): Promise<LogPage | undefined>;
  /** The folds of all series with an event after index `after`; their deltas are not read. */
  readView(taskId: string, query: { after: number }): Promise<LogView | undefined>;
  /**
   * For each of `indexes`: how many events with a lower index match the filter. Also of events that
   * are only kept folded.
   */
  countMatches(taskId: string, filter: EventFilter, indexes: readonly number[]): Promise<number[]>;
  /** Work that is due at `nowMs`. It stays due until a commit changes it. */
  due(nowMs: number, limit: number): Promise<DueWork>;
  /** Releases connections. Safe to call twice. */
  close(): Promise<void>;
}
