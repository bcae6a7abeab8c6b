import type { DoneReason } from "@taskcast/client";

/**
 * State of the connection to a task.
 *
 * - `idle`: nothing is followed, because there is no task id or `enabled` is `false`.
 * - `connecting`: the first connection is being opened.
 * - `open`: events are shown as they arrive.
 * - `reconnecting`: the connection was lost or could not be opened; another attempt follows by
 *   itself.
 * - `done`: the task has ended, and all its events have arrived.
 * - `error`: the server refused for good, e.g. 401 or 404. To retry, turn `enabled` off and on.
 */
export type StreamStatus = "idle" | "connecting" | "open" | "reconnecting" | "done" | "error";

/** Connection state that every hook returns. */
export interface StreamState {
  /** State of the connection. */
  readonly status: StreamStatus;
  /** Set if the task has ended and all its events have arrived. */
  readonly isDone: boolean;
  /** Reason of the task's end; `undefined` until then. */
  readonly doneReason: DoneReason | undefined;
  /**
   * With the status `error`, the server's refusal (a `TaskcastHttpError`). With the status
   * `reconnecting`, the reason if there has been no connection yet, or none for a while. `undefined`
   * otherwise.
   */
  readonly error: Error | undefined;
}

/** Number of consecutive failures before `error` is set. */
export const FAILURES_UNTIL_ERROR = 3;

/** A delay before the next attempt, in milliseconds, from which `error` is set at once. */
const WAIT_UNTIL_ERROR_MS = 10_000;

const NOTHING = { isDone: false, doneReason: undefined, error: undefined } as const;

/** State of hooks that follow nothing. */
export const IDLE: StreamState = { status: "idle", ...NOTHING };

/** State while the first connection is being opened. */
export const CONNECTING: StreamState = { status: "connecting", ...NOTHING };

/** State while a connection is open. */
export const OPEN: StreamState = { status: "open", ...NOTHING };

/**
 * Returns the state after a connection was lost or could not be opened.
 *
 * @param failures Number of consecutive failures, including this one.
 * @param waitMs Milliseconds until the next attempt.
 */
export function reconnecting(problem: unknown, failures: number, waitMs: number): StreamState {
  const isShown = failures >= FAILURES_UNTIL_ERROR || waitMs >= WAIT_UNTIL_ERROR_MS;
  return { ...NOTHING, status: "reconnecting", error: isShown ? errorOf(problem) : undefined };
}

/** Returns the state of a task that has ended. */
export function done(doneReason: DoneReason): StreamState {
  return { status: "done", isDone: true, doneReason, error: undefined };
}

/** Returns the state after the server refused for good. */
export function refused(problem: unknown): StreamState {
  return { ...NOTHING, status: "error", error: errorOf(problem) };
}

/** Returns the thrown value as an `Error`. */
export function errorOf(problem: unknown): Error {
  return problem instanceof Error ? problem : new Error(String(problem), { cause: problem });
}
