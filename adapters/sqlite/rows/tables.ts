import type { EventKind, StoredEvent } from "@taskcast/core/adapter";
import type { Level, SeriesMode, TaskStatus } from "@taskcast/core/protocol";

/**
 * The key `event` is the number of the task shifted by these bits, plus the index. With a key of
 * two columns, SQLite would keep whole rows in the inner pages of its tree; commits to many growing
 * tasks would then take a quarter longer.
 */
const INDEX_BITS = 28;

/** Number of indexes that an event may have, from 0. */
export const INDEXES: number = 2 ** INDEX_BITS;

/** Number of task numbers. */
export const TASK_NUMBERS: number = 2 ** (63 - INDEX_BITS);

/**
 * Returns SQL for the key of a task's event at an index; both are SQL expressions. Drivers bind
 * numbers as floats, whose sum would be an inexact float; `<<` converts to integers.
 */
export function eventKey(task: string, index: string): string {
  return `(${task} << ${INDEX_BITS}) + CAST(${index} AS INTEGER)`;
}

/** Returns SQL for the highest possible key of a task's events. */
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
  /** Characters of the data of all events, trimmed ones included. */
  bytes: number;
  timestamp: number;
  /** Entropy of the newest event; `null` for an empty log. */
  entropy: number | null;
  hooked: number;
  trimmed_through: number | null;
  trimmed_bytes: number;
}

/** A task and its newest event, which defines the end of the log. */
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

/** A class: a type and a level, separate for standalone events. */
export interface ClassRow extends EventKind {
  class: number;
  plain: number;
}

export const SELECT_CLASSES = "SELECT class, type, level, plain FROM {classes} WHERE task = ?";

/** Row of an event kind with its counts. */
export interface CountedClassRow extends ClassRow {
  /** Number of events, trimmed ones included. */
  count: number;
  /** Index of the newest remaining event. */
  newest: number | null;
}

/** Indexes covered by one row of `class_blocks`. */
export const BLOCK_LENGTH = 16;

export function blockOf(index: number): number {
  return Math.floor(index / BLOCK_LENGTH);
}

/** Condition that an event `e` is of a class and in its block `b`. */
export const IN_BLOCK: string = `e.event >= ${eventKey("b.task", `b.block * ${BLOCK_LENGTH}`)} ` +
  `AND e.event <= ${
    eventKey("b.task", `b.block * ${BLOCK_LENGTH} + ${BLOCK_LENGTH - 1}`)
  } AND e.class = b.class`;

/** The remaining events `e` of a class, found by its blocks `b`, in order. */
export const FROM_CLASS: string = `{class_blocks} b CROSS JOIN {events} e ON ${IN_BLOCK}`;

export const SELECT_COUNTED_CLASSES: string =
  "SELECT c.class, c.type, c.level, c.plain, MAX(c.count, COALESCE(n.place + 1, 0)) AS count, " +
  "n.idx AS newest FROM {classes} c LEFT JOIN {events} n ON n.event = " +
  `(SELECT e.event FROM ${FROM_CLASS} WHERE b.task = c.task AND b.class = c.class ` +
  "ORDER BY b.block DESC, e.event DESC LIMIT 1) WHERE c.task = ?";

/** Selects one event kind, because the newest event of each has to be searched. */
export const SELECT_COUNTED_CLASS: string =
  `${SELECT_COUNTED_CLASSES} AND c.type = ? AND c.level = ? AND c.plain = ?`;

/** The row of a series: its kind and its progress. */
export interface SeriesRow {
  series: string;
  mode: SeriesMode;
  acc_field: string | null;
  newest: number;
  is_text: number;
  parts: number;
  part_bytes: number;
  classes: string;
  /** Number of remaining events; `null` if unknown. */
  left_events: number | null;
  /** The newest event as JSON, if it was trimmed. */
  newest_event: string | null;
}

export const SERIES_COLUMNS =
  "series, mode, acc_field, newest, is_text, parts, part_bytes, classes, left_events, newest_event";

/** The rank of an event within its class. */
export interface RankRow {
  idx: number;
  class: number;
  place: number;
}

/** An event with the values of its class and series. */
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
