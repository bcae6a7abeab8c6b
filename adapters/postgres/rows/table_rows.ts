import type { EventKind } from "@taskcast/core/adapter";
import type { Level, SeriesMode, TaskStatus } from "@taskcast/core/protocol";

/** The row of a task. */
export interface TaskRow {
  task: number;
  id: string;
  incarnation: string;
  version: number;
  status: TaskStatus;
  created_at: number;
  length: number;
  bytes: number;
  time: number;
  classes: number;
  hooked: boolean;
}

/** A class: a type and a level, separate for standalone events. */
export interface ClassRow {
  task: number;
  class: number;
  type: string;
  level: Level;
  plain: boolean;
  count: number;
}

/** The row of a series: its kind and its progress. */
export interface SeriesRow {
  task: number;
  series: string;
  mode: SeriesMode;
  acc_field: string | null;
  newest: number;
  is_text: boolean;
  first_part: number;
  parts: number;
  part_length: number;
  classes: EventKind[] | null;
}
