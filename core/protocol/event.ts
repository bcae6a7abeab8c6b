/** The levels of events, from least to most severe. */
export const LEVELS = ["debug", "info", "warn", "error"] as const;

/** The severity of an event. */
export type Level = (typeof LEVELS)[number];

/** The modes of series. */
export const SERIES_MODES = ["keep-all", "latest", "accumulate"] as const;

/**
 * The relation between the events of a series: `keep-all` (each stands alone), `latest` (each replaces
 * the previous one), `accumulate` (each appends a string to the accumulated text).
 */
export type SeriesMode = (typeof SERIES_MODES)[number];

/** The field of `data` that `accumulate` appends, unless the event names another. */
export const DEFAULT_ACC_FIELD = "delta";

/** Prefix of the event types reserved for the server. */
export const RESERVED_TYPE_PREFIX = "taskcast:";

/** Types of the events that the server writes itself. */
export const SERVER_EVENT = {
  /** The status changed: `{status, result?, error?, reason?, cancel?: {stopMs, forced}}`. */
  status: "taskcast:status",
  /** The task is waiting for an answer: `{reason?, request}`. */
  blocked: "taskcast:blocked",
  /** The request was answered: `{resolution}`. */
  resolved: "taskcast:resolved",
  /** The producer is asked to stop: `{reason?, by?, graceMs}`. */
  cancel: "taskcast:cancel",
  /** The producer saw the request to stop: `{afterMs}`. */
  cancelSeen: "taskcast:cancel-seen",
} as const;

/** An entry of a task's log. */
export interface TaskEvent {
  /** A ULID that includes the index. */
  id: string;
  /** The task it belongs to. */
  taskId: string;
  /** 0, 1, 2 … per task, without gaps. */
  index: number;
  /** Unix milliseconds; never decreases within a task. */
  timestamp: number;
  /** Dotted name, e.g. `llm.delta`. */
  type: string;
  /** Severity. */
  level: Level;
  /** Any JSON value. */
  data: unknown;
  /** The series it belongs to. */
  seriesId?: string;
  /** Mode of the series. */
  seriesMode?: SeriesMode;
  /** The accumulated field of `data`, if it is not `delta`. */
  seriesAccField?: string;
  /** `data` holds the whole series so far and replaces earlier events of the series. */
  seriesSnapshot?: boolean;
}

/** An event to publish. */
export interface EventInput {
  /** Dotted name, e.g. `llm.delta`; 1-256 characters, not beginning with `taskcast:`. */
  type: string;
  /** Severity. @default {"info"} */
  level?: Level;
  /** Any JSON value, including `null`; required. */
  data: unknown;
  /** Makes the event part of a series. */
  seriesId?: string;
  /** Mode of the series. @default the mode of an existing series; `keep-all` for a new one */
  seriesMode?: SeriesMode;
  /**
   * The field of `data` to append if the series accumulates. It holds a string, or `null` to clear the
   * accumulated text. @default {"delta"}
   */
  seriesAccField?: string;
  /** Identifies the producer, so that a repeated publish is recognised. */
  producerId?: string;
  /** 0, 1, 2 … per producer and epoch. */
  producerSeq?: number;
  /** A restarted producer uses a higher epoch, which fences its predecessor. @default {0} */
  producerEpoch?: number;
}

/** Selects events. All given conditions must hold; an empty list is no condition. */
export interface EventFilter {
  /** `*` matches every type, `a.b.*` every type that starts with `a.b.`, anything else exactly. */
  types?: string[];
  /** Levels to include. */
  levels?: Level[];
  /** `false` leaves out `taskcast:status`. @default {true} */
  includeStatus?: boolean;
}

/**
 * The position after which a reader starts. At most one field may be given.
 *
 * - `id`: an event's id or the `id:` of an SSE frame; independent of the filter.
 * - `index`: the last `filteredIndex` seen under the same filter.
 * - `timestamp`: a time; events after it follow.
 */
export interface Since {
  /** An event's id or a cursor. */
  id?: string;
  /** The last `filteredIndex` seen under the same filter. */
  index?: number;
  /** Unix milliseconds, exclusive. */
  timestamp?: number;
}

/**
 * The format of `accumulate` series: `delta` sends each part as published, `accumulated` sends the
 * whole text so far with every event.
 */
export type SeriesFormat = "delta" | "accumulated";
