import type { StoredEvent } from "@taskcast/core/adapter";
import type { Level, SeriesMode, TaskStatus } from "@taskcast/core/protocol";
import { withText } from "./text.ts";

// Columns of tasks and events in reading statements, and their conversion.

/** A task as selected by {@linkcode TASK}. */
export interface TaskRow {
  incarnation: string;
  status: TaskStatus;
  length: number;
  /** Entropies of the events at which a page begins and may end. */
  before?: number | null;
  at_end?: number | null;
}

/** An event with the values of its class and series. */
export type EventRow = [
  idx: number,
  time: number,
  entropy: number,
  type: string,
  level: Level,
  data: string | null,
  series: string | null,
  mode: SeriesMode | null,
  accField: string | null,
  part: number | null,
  at: number | null,
  len: number | null,
];

/** Columns of an event `e`, its class `c` and its series `s`. */
export const EVENT_COLUMNS: string =
  "e.idx, e.time, e.entropy, c.type, c.level, e.data::text AS data, e.series, " +
  "s.mode, s.acc_field, e.part, e.at, e.len";
/** SQL for these columns as an {@linkcode EventRow}. */
export const EVENT_ARRAY: string =
  "json_build_array(idx, time, entropy, type, level, data, series, mode, " +
  "acc_field, part, at, len)";

/** Returns a subquery for the entropy of a task's event at an index. */
export function entropyAt(task: string, index: string): string {
  return `(SELECT e.entropy FROM {events} e WHERE e.task = ${task} AND e.idx = ${index})`;
}

/** The highest possible index. */
export const MAX_INDEX = 2_147_483_647;
/** Stands for no limit. */
export const MAX_BYTES: number = Number.MAX_SAFE_INTEGER;
/** SQL for the row `t` as a {@linkcode TaskRow}. */
export const TASK = "(SELECT row_to_json(t) FROM t) AS task";

/** A part of a series' text. */
export type Part = [series: string, part: number, text: string];

/** Returns the events of a page, with texts from the given parts. */
export function eventsOf(rows: EventRow[] | null, parts: Part[] | null): StoredEvent[] {
  const texts = new Map(parts?.map(([series, part, text]) => [`${part} ${series}`, text]));
  return (rows ?? []).map((row) => toStoredEvent(row, texts.get(`${row[9]} ${row[6]}`)));
}

/** Returns an event; its text may be in a part of its series' text. */
export function toStoredEvent(row: EventRow, partText: string | null | undefined): StoredEvent {
  const [index, timestamp, entropy, type, level, kept, series, mode, accField, , at, len] = row;
  const data = kept ?? withText(accField!, partText!.slice(at!, at! + len!));
  const event: StoredEvent = { index, timestamp, entropy, type, level, data };
  if (series !== null && mode !== null) {
    event.seriesId = series;
    event.seriesMode = mode;
    if (mode === "accumulate" && accField !== null) event.accField = accField;
  }
  return event;
}
