import type { EventClass, StoredEvent } from "@taskcast/core";
import type { Level, SeriesMode, TaskStatus } from "@taskcast/core/protocol";

/** What every operation wants to know of a task. */
export interface TaskRow {
  task: number;
  incarnation: string;
  version: number;
  status: TaskStatus;
  length: number;
  /** Characters of the data of all events, be they trimmed or left. */
  bytes: number;
  timestamp: number;
  hooked: number;
  trimmed_through: number | null;
  trimmed_bytes: number;
}

/** A task and its newest event, which says where the log ends. */
export const FROM_TASKS: string = "FROM {tasks} t LEFT JOIN {events} n ON n.task = t.task " +
  "AND n.idx = (SELECT idx FROM {events} WHERE task = t.task AND " +
  "idx > COALESCE(t.trimmed_through, -1) ORDER BY idx DESC LIMIT 1)";

/** The length of such a task's log. */
export const LENGTH = "COALESCE(n.idx + 1, 0) AS length";

export const SELECT_TASK: string =
  `SELECT t.task, t.incarnation, t.version, t.status, ${LENGTH}, COALESCE(n.bytes, 0) AS bytes, ` +
  "COALESCE(n.timestamp, 0) AS timestamp, t.hooked, t.trimmed_through, t.trimmed_bytes " +
  `${FROM_TASKS} WHERE t.id = ?`;

/** A type and level of a task's events; apart for those that stand alone. */
export interface ClassRow extends EventClass {
  class: number;
  plain: number;
}

export const SELECT_CLASSES = "SELECT class, type, level, plain FROM {classes} WHERE task = ?";

/** What is known of a class besides what it is. */
export interface CountedClassRow extends ClassRow {
  /** Events, be they trimmed or left. */
  count: number;
  /** The newest that is left. */
  newest: number | null;
}

/** Indexes that one row of `class_blocks` is about. */
export const BLOCK_LENGTH = 16;

export function blockOf(index: number): number {
  return Math.floor(index / BLOCK_LENGTH);
}

/** Events `e` that are left of a class, found by its blocks `b`, in the order of both. */
export const FROM_CLASS: string = "{class_blocks} b CROSS JOIN {events} e ON e.task = b.task AND " +
  `e.idx >= b.block * ${BLOCK_LENGTH} AND e.idx < (b.block + 1) * ${BLOCK_LENGTH} ` +
  "AND e.class = b.class";

export const SELECT_COUNTED_CLASSES: string =
  "SELECT c.class, c.type, c.level, c.plain, MAX(c.count, COALESCE(n.place + 1, 0)) AS count, " +
  "n.idx AS newest FROM {classes} c LEFT JOIN {events} n ON n.task = c.task AND n.idx = " +
  `(SELECT e.idx FROM ${FROM_CLASS} WHERE b.task = c.task AND b.class = c.class ` +
  "ORDER BY b.block DESC, e.idx DESC LIMIT 1) WHERE c.task = ?";

/** Of many classes only one, since the newest event of each has to be looked for. */
export const SELECT_COUNTED_CLASS: string =
  `${SELECT_COUNTED_CLASSES} AND c.type = ? AND c.level = ? AND c.plain = ?`;

/** How a task's series works and where it stands. */
export interface SeriesRow {
  series: string;
  mode: SeriesMode;
  acc_field: string | null;
  newest: number;
  is_text: number;
  parts: number;
  part_bytes: number;
  classes: string;
  /** Events that were not trimmed; `null` if nobody counted. */
  left_events: number | null;
  /** The newest event as JSON, if it was trimmed. */
  newest_event: string | null;
}

export const SERIES_COLUMNS =
  "series, mode, acc_field, newest, is_text, parts, part_bytes, classes, left_events, newest_event";

/** Which event of its class an event is. */
export interface PlaceRow {
  idx: number;
  class: number;
  place: number;
}

/** An event with what its class and series say. */
export interface EventRow {
  idx: number;
  timestamp: number;
  entropy: number;
  type: string;
  level: Level;
  data: string;
  series: string | null;
  mode: SeriesMode | null;
  acc_field: string | null;
}

export const SELECT_EVENTS = `
  SELECT e.idx, e.timestamp, e.entropy, c.type, c.level, e.data, e.series, s.mode, s.acc_field
  FROM {events} e
  JOIN {classes} c ON c.task = e.task AND c.class = e.class
  LEFT JOIN {series} s ON s.task = e.task AND s.series = e.series
  WHERE e.task = ?`;

export function toStoredEvent(row: EventRow): StoredEvent {
  const { idx: index, timestamp, entropy, type, level, data, series, mode, acc_field } = row;
  const event: StoredEvent = { index, timestamp, entropy, type, level, data };
  if (series !== null && mode !== null) {
    event.seriesId = series;
    event.seriesMode = mode;
    if (mode === "accumulate" && acc_field !== null) event.accField = acc_field;
  }
  return event;
}

/** A text as it stands between the quotes of JSON: any text can be kept so, and joined. */
export function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** The text of which these are the escaped parts. */
export function unescaped(parts: readonly string[]): string {
  return JSON.parse(`"${parts.join("")}"`);
}
