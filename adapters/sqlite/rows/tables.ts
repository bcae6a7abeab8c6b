import type { EventKind, StoredEvent } from "@taskcast/core/adapter";
import type { Level, SeriesMode, TaskStatus } from "@taskcast/core/protocol";

/**
 * The key of an event, `event`, is the number of its task and below that, in so many bits, its
 * index. One number, since by two columns SQLite would keep whole rows in the inner pages of its
 * tree, too: many tasks that grow at once then take SQLite a quarter longer to commit.
 */
const INDEX_BITS = 28;

/** Indexes that an event may have, from 0. */
export const INDEXES: number = 2 ** INDEX_BITS;

/** Numbers that a task may have. */
export const TASK_NUMBERS: number = 2 ** (63 - INDEX_BITS);

/**
 * The key of a task's event at an index, both as expressions of SQL. Drivers give numbers as
 * floating point, of which a sum would be that, too, and not exact; `<<` makes integers by itself.
 */
export function eventKey(task: string, index: string): string {
  return `(${task} << ${INDEX_BITS}) + CAST(${index} AS INTEGER)`;
}

/** The highest key that an event of a task may have. */
export function lastEventKey(task: string): string {
  return eventKey(task, `${INDEXES - 1}`);
}

/** Row of a task as every operation needs it. */
export interface TaskRow {
  task: number;
  incarnation: string;
  version: number;
  status: TaskStatus;
  length: number;
  /** Characters of the data of all events, be they trimmed or left. */
  bytes: number;
  timestamp: number;
  /** Entropy of the newest event; `null` for an empty log. */
  entropy: number | null;
  hooked: number;
  trimmed_through: number | null;
  trimmed_bytes: number;
}

/** A task and its newest event, which says where the log ends. */
export const FROM_TASKS: string = "FROM {tasks} t LEFT JOIN {events} n ON n.event = " +
  "(SELECT event FROM {events} " +
  `WHERE event > ${eventKey("t.task", "COALESCE(t.trimmed_through, -1)")} ` +
  `AND event <= ${lastEventKey("t.task")} ORDER BY event DESC LIMIT 1)`;

/** The length of such a task's log. */
export const LENGTH = "COALESCE(n.idx + 1, 0) AS length";

export const SELECT_TASK: string =
  `SELECT t.task, t.incarnation, t.version, t.status, ${LENGTH}, COALESCE(n.bytes, 0) AS bytes, ` +
  "COALESCE(n.timestamp, 0) AS timestamp, n.entropy, t.hooked, t.trimmed_through, t.trimmed_bytes " +
  `${FROM_TASKS} WHERE t.id = ?`;

/** A type and level of a task's events; apart for those that stand alone. */
export interface ClassRow extends EventKind {
  class: number;
  plain: number;
}

export const SELECT_CLASSES = "SELECT class, type, level, plain FROM {classes} WHERE task = ?";

/** Row of an event kind with its counts. */
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

/** That an event `e` is one of a class in its block `b`. */
export const IN_BLOCK: string = `e.event >= ${eventKey("b.task", `b.block * ${BLOCK_LENGTH}`)} ` +
  `AND e.event <= ${
    eventKey("b.task", `b.block * ${BLOCK_LENGTH} + ${BLOCK_LENGTH - 1}`)
  } AND e.class = b.class`;

/** Events `e` that are left of a class, found by its blocks `b`, in the order of both. */
export const FROM_CLASS: string = `{class_blocks} b CROSS JOIN {events} e ON ${IN_BLOCK}`;

export const SELECT_COUNTED_CLASSES: string =
  "SELECT c.class, c.type, c.level, c.plain, MAX(c.count, COALESCE(n.place + 1, 0)) AS count, " +
  "n.idx AS newest FROM {classes} c LEFT JOIN {events} n ON n.event = " +
  `(SELECT e.event FROM ${FROM_CLASS} WHERE b.task = c.task AND b.class = c.class ` +
  "ORDER BY b.block DESC, e.event DESC LIMIT 1) WHERE c.task = ?";

/** Selects one event kind, because the newest event of each has to be searched. */
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
  LEFT JOIN {series} s ON s.task = e.task AND s.series = e.series`;

export const SELECT_EVENT: string = `${SELECT_EVENTS} WHERE e.event = ${eventKey("?", "?")}`;

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
