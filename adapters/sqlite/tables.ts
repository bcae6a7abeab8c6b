import type { EventClass, StoredEvent } from "@taskcast/core";
import type { Level, SeriesMode, TaskStatus } from "@taskcast/core/protocol";

/** What every operation wants to know of a task. */
export interface TaskRow {
  task: number;
  incarnation: string;
  version: number;
  status: TaskStatus;
  length: number;
  data_bytes: number;
  timestamp: number;
  hooked: number;
  trimmed_through: number | null;
}

export const SELECT_TASK: string =
  "SELECT task, incarnation, version, status, length, data_bytes, " +
  "timestamp, hooked, trimmed_through FROM {tasks} WHERE id = ?";

/** A type and level of a task's events; apart for those that stand alone. */
export interface ClassRow extends EventClass {
  class: number;
  plain: number;
  count: number;
}

export const SELECT_CLASSES =
  "SELECT class, type, level, plain, count FROM {classes} WHERE task = ?";

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
