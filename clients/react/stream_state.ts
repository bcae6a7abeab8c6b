import type { DoneReason } from "@taskcast/client";

/**
 * How it stands with the connection to a task.
 *
 * - `idle`: nothing is followed: there is no task's id, or `enabled` is `false`.
 * - `connecting`: the first connection is being made.
 * - `open`: what happens is shown as it happens.
 * - `reconnecting`: the connection was lost, or not made; another follows by itself.
 * - `done`: the task has ended, and all its events are here.
 * - `error`: the server refused for good, e.g. 401 or 404. To try again, turn `enabled` off and on.
 */
export type StreamStatus = "idle" | "connecting" | "open" | "reconnecting" | "done" | "error";

/** State of the connection, which each hook returns. */
export interface StreamState {
  /** How it stands. */
  readonly status: StreamStatus;
  /** The task has ended, and all its events are here. */
  readonly isDone: boolean;
  /** Why it has ended; `undefined` until then. */
  readonly doneReason: DoneReason | undefined;
  /**
   * Why the server refused (a `TaskcastHttpError`), with the status `error`; or, with the status
   * `reconnecting`, why no connection has come about yet, or for a while. It goes when one does.
   */
  readonly error: Error | undefined;
}

/** Attempts that fail in a row before `error` says why. */
export const FAILURES_UNTIL_ERROR = 3;

/** A wait before the next attempt, in milliseconds, that is told as an error at once. */
const WAIT_UNTIL_ERROR_MS = 10_000;

const NOTHING = { isDone: false, doneReason: undefined, error: undefined } as const;

/** Nothing is followed. */
export const IDLE: StreamState = { status: "idle", ...NOTHING };

/** The first connection is being made. */
export const CONNECTING: StreamState = { status: "connecting", ...NOTHING };

/** A connection was made. */
export const OPEN: StreamState = { status: "open", ...NOTHING };

/**
 * A connection was lost or not made.
 *
 * @param failures How many in a row, this one included.
 * @param waitMs Milliseconds until the next attempt.
 */
export function reconnecting(problem: unknown, failures: number, waitMs: number): StreamState {
  const told = failures >= FAILURES_UNTIL_ERROR || waitMs >= WAIT_UNTIL_ERROR_MS;
  return { ...NOTHING, status: "reconnecting", error: told ? errorOf(problem) : undefined };
}

/** The task has ended. */
export function done(doneReason: DoneReason): StreamState {
  return { status: "done", isDone: true, doneReason, error: undefined };
}

/** The server refused for good. */
export function refused(problem: unknown): StreamState {
  return { ...NOTHING, status: "error", error: errorOf(problem) };
}

/** Returns a thrown value as an `Error`. */
export function errorOf(problem: unknown): Error {
  return problem instanceof Error ? problem : new Error(String(problem), { cause: problem });
}
