import type { Level, SeriesMode } from "./event.ts";
import type { TaskStatus, TerminalStatus } from "./task.ts";

/** Names of the SSE events that a task's stream consists of. */
export const SSE_EVENT = {
  /** First frame; tells how the cursor was taken. */
  open: "taskcast.open",
  /** One event of the task. */
  event: "taskcast.event",
  /** Last frame. */
  done: "taskcast.done",
} as const;

/**
 * How a stream's cursor was taken.
 *
 * - `start`: none was given.
 * - `exact`: what follows is each event after the cursor.
 * - `collapsed`: series after the cursor come as one snapshot each.
 * - `expired`: what came after the cursor is gone, or what came before it, see
 *   {@linkcode OpenMessage.reset}; what follows is everything that is left.
 */
export type ResumeKind = "start" | "exact" | "collapsed" | "expired";

/** Data of `taskcast.open`. */
export interface OpenMessage {
  /** The task that is followed. */
  taskId: string;
  /** Its state as the stream opened. */
  status: TaskStatus;
  /** How the cursor was taken. */
  resume: ResumeKind;
  /** Index of the newest event as the stream opened, -1 when there is none. */
  head: number;
  /**
   * Drop what you have of the task: the store was restored to an earlier state, and what follows is
   * everything that is left, from the first event. Comes with `expired`, also in the middle of a
   * stream.
   */
  reset?: true;
}

/** Data of `taskcast.event` with `wrap=true`: an event and its place. */
export interface EventEnvelope {
  /** Its position among the events that match the filter, from the task's first. */
  filteredIndex: number;
  /** Its position in the log. */
  rawIndex: number;
  /** Its id. */
  eventId: string;
  /** The task it belongs to. */
  taskId: string;
  /** Its type. */
  type: string;
  /** Unix milliseconds. */
  timestamp: number;
  /** How important it is. */
  level: Level;
  /** What was published, or the whole series where `seriesSnapshot` is set. */
  data: unknown;
  /** The series it is part of. */
  seriesId?: string;
  /** How the series works. */
  seriesMode?: SeriesMode;
  /** The appended field of `data`, where it is not `delta`. */
  seriesAccField?: string;
  /** Replace what you have of this series. */
  seriesSnapshot?: boolean;
}

/** Why a stream ended for good. */
export type DoneReason = TerminalStatus | "deleted";

/** Data of `taskcast.done`. */
export interface DoneMessage {
  /** The terminal state, or `deleted`. */
  reason: DoneReason;
}

/** Answer to `POST /tasks/:id/tickets`. */
export interface Ticket {
  /** Put it into `?ticket=` of the task's stream. */
  ticket: string;
  /** Unix milliseconds. */
  expiresAt: number;
}

/** Answer to an NDJSON publish. */
export interface PublishReceipt {
  /** Lines that are stored, repeated ones included. */
  published: number;
  /** Index of the newest event of this request, -1 when there was none. */
  lastIndex: number;
}
