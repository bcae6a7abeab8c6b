import type { Level, SeriesMode } from "./event.ts";
import type { TaskStatus, TerminalStatus } from "./status.ts";

/** Names of the SSE events in a task's stream. */
export const SSE_EVENT = {
  /** First frame; says how the stream resumed. */
  open: "taskcast.open",
  /** One event of the task. */
  event: "taskcast.event",
  /** Last frame. */
  done: "taskcast.done",
} as const;

/**
 * The way a stream resumed.
 *
 * - `start`: no cursor was given.
 * - `exact`: every event after the cursor follows.
 * - `collapsed`: each series after the cursor follows as one snapshot.
 * - `expired`: events after the cursor were removed, or the log changed before it (see
 *   {@linkcode OpenMessage.reset}); everything that is left follows.
 */
export type ResumeKind = "start" | "exact" | "collapsed" | "expired";

/** Data of `taskcast.open`. */
export interface OpenMessage {
  /** The followed task. */
  taskId: string;
  /** Its status when the stream opened. */
  status: TaskStatus;
  /** The way the stream resumed. */
  resume: ResumeKind;
  /** Index of the newest event when the stream opened; -1 if there was none. */
  head: number;
  /**
   * The reader must discard what it has of the task: the store was restored to an earlier state, and
   * everything that is left follows from the first event. Comes with `expired`, also in the middle of
   * a stream.
   */
  reset?: true;
}

/** Data of `taskcast.event` with `wrap=true`: an event and its position. */
export interface EventEnvelope {
  /** Position among the events of the task that match the filter. */
  filteredIndex: number;
  /** Position in the log. */
  rawIndex: number;
  /** The event's id. */
  eventId: string;
  /** The task it belongs to. */
  taskId: string;
  /** The event's type. */
  type: string;
  /** Unix milliseconds. */
  timestamp: number;
  /** Severity. */
  level: Level;
  /** The published data, or the whole series if `seriesSnapshot` is set. */
  data: unknown;
  /** The series it belongs to. */
  seriesId?: string;
  /** Mode of the series. */
  seriesMode?: SeriesMode;
  /** The accumulated field of `data`, if it is not `delta`. */
  seriesAccField?: string;
  /** The event replaces earlier events of the series. */
  seriesSnapshot?: boolean;
}

/** The reason why a stream ended for good. */
export type DoneReason = TerminalStatus | "deleted";

/** Data of `taskcast.done`. */
export interface DoneMessage {
  /** The terminal status, or `deleted`. */
  reason: DoneReason;
}

/** Response to `POST /tasks/:id/tickets`. */
export interface Ticket {
  /** Value for the `ticket` parameter of the task's stream. */
  ticket: string;
  /** Unix milliseconds. */
  expiresAt: number;
}

/** Response to an NDJSON publish. */
export interface PublishReceipt {
  /** Number of stored lines, including repeated ones. */
  published: number;
  /** Index of the newest event of this request; -1 if there was none. */
  lastIndex: number;
}
