/** How important an event is. */
export const LEVELS = ["debug", "info", "warn", "error"] as const;

/** How important an event is. */
export type Level = (typeof LEVELS)[number];

/** How the events of one series stand to each other. */
export const SERIES_MODES = ["keep-all", "latest", "accumulate"] as const;

/**
 * How the events of one series stand to each other: `keep-all` (each stands alone), `latest`
 * (each replaces the one before), `accumulate` (each appends a string to the one before).
 */
export type SeriesMode = (typeof SERIES_MODES)[number];

/** The field of `data` that `accumulate` appends, unless the event names another. */
export const DEFAULT_ACC_FIELD = "delta";

/** Types that begin so belong to the server. */
export const RESERVED_TYPE_PREFIX = "taskcast:";

/** Types of the events that the server itself writes. */
export const SERVER_EVENT = {
  /** The state changed: `{status, result?, error?, reason?}`. */
  status: "taskcast:status",
  /** The task waits for an answer: `{reason?, request}`. */
  blocked: "taskcast:blocked",
  /** The answer came: `{resolution}`. */
  resolved: "taskcast:resolved",
} as const;

/** One entry of a task's log. */
export interface TaskEvent {
  /** A ULID that carries the index. */
  id: string;
  /** The task it belongs to. */
  taskId: string;
  /** 0, 1, 2 … per task, without holes. */
  index: number;
  /** Unix milliseconds; never goes back within a task. */
  timestamp: number;
  /** Dotted, e.g. `llm.delta`. */
  type: string;
  /** How important it is. */
  level: Level;
  /** Any JSON value. */
  data: unknown;
  /** The series it is part of. */
  seriesId?: string;
  /** How the series works. */
  seriesMode?: SeriesMode;
  /** The appended field of `data`, where it is not `delta`. */
  seriesAccField?: string;
  /** `data` holds the whole series so far: replace what you have. */
  seriesSnapshot?: boolean;
}

/** What a producer publishes. */
export interface EventInput {
  /** Dotted, e.g. `llm.delta`; 1-256 characters, not beginning with `taskcast:`. */
  type: string;
  /** How important it is. @default {"info"} */
  level?: Level;
  /** Any JSON value, `null` included; required. */
  data: unknown;
  /** Makes the event part of a series. */
  seriesId?: string;
  /** Left out: the mode that the series has, or `keep-all` for a new one. */
  seriesMode?: SeriesMode;
  /**
   * The field of `data` that is appended if the series accumulates; a string, or `null` to begin
   * anew. @default {"delta"}
   */
  seriesAccField?: string;
  /** Names the producer, so that a repeated publish is recognised. */
  producerId?: string;
  /** 0, 1, 2 … per producer and epoch. */
  producerSeq?: number;
  /** A restarted producer takes a higher one and fences its predecessor. @default {0} */
  producerEpoch?: number;
}

/** Which events a reader wants. All given conditions must hold; an empty list is no condition. */
export interface EventFilter {
  /** `*` is every type, `a.b.*` what starts with `a.b.`, anything else must be equal. */
  types?: string[];
  /** The levels wanted. */
  levels?: Level[];
  /** `false` leaves out `taskcast:status`. @default {true} */
  includeStatus?: boolean;
}

/**
 * Where a reader goes on. At most one may be given.
 *
 * - `id`: an event's id or the `id:` of an SSE frame; independent of the filter.
 * - `index`: the last `filteredIndex` seen under the same filter.
 * - `timestamp`: everything that came after this time, in milliseconds.
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
 * How accumulate series are told: `delta` sends each part as it was published, `accumulated` the
 * whole text so far with every event.
 */
export type SeriesFormat = "delta" | "accumulated";
