import type { Level, SeriesMode } from "../protocol/event.ts";
import type { Task } from "../protocol/task.ts";

/** A task as a store keeps it: what users see, and what only the engine needs. */
export interface TaskRecord {
  /** What users see. */
  task: Task;
  /** Names this life of the id; 8 random characters of `a-z0-9`. */
  incarnation: string;
  /** 1 at creation, one more with each replacement. Publishing does not count. */
  version: number;
  /** When the ttl runs out, while its clock runs. */
  deadlineAt?: number;
  /** What is left of the ttl while the clock stands still (paused). */
  ttlRemainingMs?: number;
  /** It has webhooks: its commits mark it for delivery. Never changes. */
  hooked?: true;
  /**
   * It was created while the archive could not be asked whether another task has its id. Never
   * changes.
   */
  unconfirmed?: true;
  /**
   * It was deleted, and stands here until the archive has deleted this incarnation, too; empty where
   * that is the one which the archive has.
   */
  deletes?: string;
  /** The W3C `traceparent` of the request that created it, for those who are told. Never changes. */
  traceparent?: string;
}

/** A task and where its log stands, both of one moment. */
export interface TaskHead {
  /** The task. */
  record: TaskRecord;
  /** Events in the log, those that were removed counted; the next event gets this index. */
  length: number;
  /** The highest index of an event that was removed; left out when none was. */
  trimmedThrough?: number;
  /** The entropy of the event that was asked for; left out when the log has no such event. */
  entropy?: number;
}

/** Exactly where a task stands: it was changed if and only if this changed. */
export interface LogMark {
  /** The life of the task id. */
  incarnation: string;
  /** The version of its record. */
  version: number;
  /** Events in its log. */
  length: number;
}

/** A life of a task id; only at that version and length, where these are given. */
export type TaskMark = Pick<LogMark, "incarnation"> & Partial<LogMark>;

/** An event as a store keeps it. `data` stays JSON text, so it is parsed only where it is used. */
export interface StoredEvent {
  /** Position in the log. */
  index: number;
  /** Unix milliseconds; never less than that of the event before. */
  timestamp: number;
  /** 40 random bits; with timestamp and index they make the event's id. */
  entropy: number;
  /** Its type. */
  type: string;
  /** Its level. */
  level: Level;
  /** JSON text. */
  data: string;
  /** The series it is part of. */
  seriesId?: string;
  /** How the series works; set whenever `seriesId` is. */
  seriesMode?: SeriesMode;
  /** The appended field; set for `accumulate` only. */
  accField?: string;
  /** `data` is the whole series through `index`. Never set on what a log holds. */
  snapshot?: boolean;
}

/** An event that is not stored yet. The store gives it an index and a timestamp. */
export interface EventDraft {
  /** 40 random bits. */
  entropy: number;
  /** Its type. */
  type: string;
  /** Its level. */
  level: Level;
  /** JSON text. */
  data: string;
  /** The series it is to be part of. */
  seriesId?: string;
  /** Left out: the mode that the series has, or `keep-all` for a new one. */
  seriesMode?: SeriesMode;
  /** The field that is appended if the series accumulates; set whenever `seriesId` is. */
  accField?: string;
  /** The string in that field. Left out: it is `null` or no string, and replaces the value. */
  delta?: string;
  /**
   * A series that accumulates refuses the event (`NO_DELTA`): it says no mode, and its data has
   * nothing to append in `accField`. Never set together with `delta`.
   */
  mustNotAccumulate?: true;
  /** Who sends it, for recognising a repetition. */
  producer?: { id: string; epoch: number; seq: number };
}

/** A type and level under which events were stored. */
export interface EventClass {
  /** The type. */
  type: string;
  /** The level. */
  level: Level;
}

/** The fold of one `latest` or `accumulate` series. */
export interface SeriesFold {
  /** The series. */
  seriesId: string;
  /** How it works. */
  mode: "latest" | "accumulate";
  /** The appended field, of an accumulate series. */
  accField?: string;
  /** The newest event, as it is in the log. */
  newest: StoredEvent;
  /** The whole text. Left out: the newest event is the value (latest, or a non-string). */
  text?: string;
  /**
   * Every type and level that its events had, or `null` when these are more than
   * {@linkcode MAX_SERIES_CLASSES}. A filter that takes some and not others cannot use the fold.
   */
  classes: EventClass[] | null;
}

/** Classes that a {@linkcode SeriesFold} remembers. */
export const MAX_SERIES_CLASSES = 8;

/** When a task wants attention, whoever gives it. */
export interface DueTimes {
  /** Its ttl runs out. */
  deadline?: number;
  /** A blocked task goes on by itself. */
  wake?: number;
}

/** A kind of due work. */
export type DueKind = keyof DueTimes;

/** The kinds of due work. */
export const DUE_KINDS: readonly DueKind[] = ["deadline", "wake"];
