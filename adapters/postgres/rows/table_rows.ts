import type { EventKind } from "@taskcast/core/adapter";
import type { Level, SeriesMode, TaskStatus } from "@taskcast/core/protocol";

/** A task's row. */
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

/** A type and level of a task's events; apart for those that stand alone. */
export interface ClassRow {
  task: number;
  class: number;
  type: string;
  level: Level;
  plain: boolean;
  count: number;
}

/** How a series works and where it stands. */
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
