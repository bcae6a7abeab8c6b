import type { Level, SeriesMode } from "../protocol/event.ts";
import type { Task } from "../protocol/task.ts";

/** A task as stored: the public task, and the state that only the engine needs. */
export interface TaskRecord {
  /** The public task. */
  task: Task;
  /** Identifies this incarnation of the id: 8 random characters of `a-z0-9`. */
  incarnation: string;
  /** Starts at 1 and grows by one with each replacement. Publishing leaves it unchanged. */
  version: number;
  /** Expiry of the ttl while it runs; Unix milliseconds. */
  deadlineAt?: number;
  /** Remaining ttl in milliseconds while the task is paused. */
  ttlRemainingMs?: number;
  /** The task has webhooks, so its commits schedule delivery. Never changes. */
  hooked?: true;
  /** Created while the archive could not confirm that the id is free. Never changes. */
  unconfirmed?: true;
  /**
   * The task was deleted, and this record remains until the archive has deleted the named incarnation;
   * empty means whichever incarnation the archive has.
   */
  deletes?: string;
  /** The token of the task's lease: its attempt, a dot, and 16 random characters of `0-9a-v`. */
  lease?: string;
  /** Milliseconds from each sign of life to the expiry of the lease. */
  leaseMs?: number;
  /** An expiry to which the lease was put off because its holder may have been unable to renew it. */
  leasePutOffTo?: number;
  /** A hash of the input with which an idempotency key created it. Never changes. */
  inputHash?: string;
  /** The W3C `traceparent` of the request that created it, passed on to webhooks. Never changes. */
  traceparent?: string;
}

/** A task and the position of its log, as of one moment. */
export interface TaskHead {
  /** The task. */
  record: TaskRecord;
  /** Number of events in the log, including removed ones; also the index of the next event. */
  length: number;
  /** The highest index of a removed event; left out when none was removed. */
  trimmedThrough?: number;
  /** The entropy of the requested event; left out when the log has no such event. */
  entropy?: number;
}

/** An exact revision of a task and its log: it differs if and only if either has changed. */
export interface TaskRevision {
  /** The incarnation. */
  incarnation: string;
  /** The version of the record. */
  version: number;
  /** Number of events in the log. */
  length: number;
}

/** An incarnation of a task; where version and length are given, only at exactly these. */
export type RevisionExpectation = Pick<TaskRevision, "incarnation"> & Partial<TaskRevision>;

/** An event as stored. `data` stays JSON text, so it is parsed only where it is used. */
export interface StoredEvent {
  /** Position in the log. */
  index: number;
  /** Unix milliseconds; never less than that of the event before. */
  timestamp: number;
  /** 40 random bits. Timestamp, index and entropy form the event's id. */
  entropy: number;
  /** The event's type. */
  type: string;
  /** The event's level. */
  level: Level;
  /** JSON text. */
  data: string;
  /** The series it belongs to. */
  seriesId?: string;
  /** The mode of the series; set whenever `seriesId` is. */
  seriesMode?: SeriesMode;
  /** The appended field; set for `accumulate` only. */
  accField?: string;
  /** `data` is the whole series through `index`. Never set on stored events. */
  snapshot?: boolean;
}

/** An event to append. The store assigns its index and timestamp. */
export interface EventDraft {
  /** 40 random bits. */
  entropy: number;
  /** The event's type. */
  type: string;
  /** The event's level. */
  level: Level;
  /** JSON text. */
  data: string;
  /** The series it belongs to. */
  seriesId?: string;
  /** The mode of the series. @default the mode of an existing series; `keep-all` for a new one */
  seriesMode?: SeriesMode;
  /** The field to append if the series accumulates; set whenever `seriesId` is. */
  accField?: string;
  /** The string in that field. If left out, the event replaces the accumulated value. */
  delta?: string;
  /**
   * An accumulating series must refuse this event (`NO_DELTA`): it names no mode, and its data has
   * nothing to append in `accField`. Never set together with `delta`.
   */
  mustNotAccumulate?: true;
  /** The producer and its sequence number, to recognise a repetition. */
  producer?: { id: string; epoch: number; seq: number };
}

/** A combination of type and level that stored events have. */
export interface EventKind {
  /** The type. */
  type: string;
  /** The level. */
  level: Level;
}

/** The fold of one `latest` or `accumulate` series. */
export interface SeriesFold {
  /** The series. */
  seriesId: string;
  /** The mode of the series. */
  mode: "latest" | "accumulate";
  /** The accumulated field of an `accumulate` series. */
  accField?: string;
  /** The newest event, as it is in the log. */
  newest: StoredEvent;
  /** The accumulated text. If left out, the newest event itself is the value of the series. */
  text?: string;
  /**
   * The distinct types and levels of its events, or `null` if there are more than
   * {@linkcode MAX_SERIES_KINDS}. A filter that matches only some of them cannot use the fold.
   */
  eventKinds: EventKind[] | null;
}

/** Maximum number of event kinds that a {@linkcode SeriesFold} records. */
export const MAX_SERIES_KINDS = 8;

/** The times at which a task needs attention from any instance; Unix milliseconds. */
export interface DueTimes {
  /** Expiry of its ttl. */
  deadline?: number;
  /** Automatic resumption of a blocked task. */
  wake?: number;
  /** Expiry of its lease. `"keep"` keeps the time that the store has, if it has one. */
  lease?: number | "keep";
}

/** A kind of due work. */
export type DueKind = keyof DueTimes;

/** The kinds of due work. */
export const DUE_KINDS: readonly DueKind[] = ["deadline", "wake", "lease"];
