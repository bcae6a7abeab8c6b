/**
 * What went wrong, for programs. Codes are part of the API: they are added, never renamed.
 */
export const ERROR_CODES = [
  "INVALID_INPUT",
  "INVALID_CURSOR",
  "SERIES_CONFLICT",
  "NOT_SUPPORTED",
  "WEBHOOK_NOT_FOUND",
  "UNAUTHORIZED",
  "FORBIDDEN",
  "TASK_NOT_FOUND",
  "NOT_FOUND",
  "NO_BLOCKED_REQUEST",
  "METHOD_NOT_ALLOWED",
  "TASK_EXISTS",
  "INVALID_TRANSITION",
  "TASK_TERMINAL",
  "SEQUENCE_GAP",
  "PRODUCER_FENCED",
  "TASK_FULL",
  "REQUEST_TIMEOUT",
  "PAYLOAD_TOO_LARGE",
  "UNSUPPORTED_MEDIA_TYPE",
  "RATE_LIMITED",
  "INTERNAL",
  "DATA_LOST",
  "STORE_FULL",
  "STORE_UNAVAILABLE",
  "KEYS_UNAVAILABLE",
  "ENGINE_CLOSED",
] as const;

/** What went wrong, for programs. */
export type ErrorCode = (typeof ERROR_CODES)[number];

/** Of each code: whether it promises that what was asked for was not done. */
const IS_REFUSAL: Readonly<Record<ErrorCode, boolean>> = {
  INVALID_INPUT: true,
  INVALID_CURSOR: true,
  SERIES_CONFLICT: true,
  NOT_SUPPORTED: true,
  WEBHOOK_NOT_FOUND: true,
  UNAUTHORIZED: true,
  FORBIDDEN: true,
  TASK_NOT_FOUND: true,
  NOT_FOUND: true,
  NO_BLOCKED_REQUEST: true,
  METHOD_NOT_ALLOWED: true,
  TASK_EXISTS: true,
  INVALID_TRANSITION: true,
  TASK_TERMINAL: true,
  SEQUENCE_GAP: true,
  PRODUCER_FENCED: true,
  TASK_FULL: true,
  REQUEST_TIMEOUT: true,
  PAYLOAD_TOO_LARGE: true,
  UNSUPPORTED_MEDIA_TYPE: true,
  RATE_LIMITED: true,
  // It may have been stored before something went wrong.
  INTERNAL: false,
  DATA_LOST: false,
  STORE_FULL: true,
  // A store that did not answer may carry out what it was sent.
  STORE_UNAVAILABLE: false,
  KEYS_UNAVAILABLE: true,
  ENGINE_CLOSED: true,
};

/**
 * Whether an error promises that nothing was stored. Without that promise the outcome is unknown, and
 * the same may be sent again only where a repetition is recognised: with a producer's sequence number,
 * or a task id of one's own.
 */
export function isRefusal(error: unknown): boolean {
  return error instanceof TaskcastError && IS_REFUSAL[error.code];
}

/** An error's body as it travels: `{"error": {code, message, details?}}`. */
export interface ErrorBody {
  /** The error. */
  error: {
    /** What went wrong, for programs. */
    code: ErrorCode;
    /** What went wrong and how to mend it, for people. */
    message: string;
    /** Facts that belong to it. */
    details?: Record<string, unknown>;
  };
}

/** Details and cause of a {@linkcode TaskcastError}. */
export interface TaskcastErrorOptions {
  /** Flat facts, safe to show to the caller. */
  details?: Record<string, unknown>;
  /** The error underneath; never shown to remote callers. */
  cause?: unknown;
}

/**
 * The one error class of Taskcast: a stable `code`, a message that says how to mend it, and facts.
 *
 * @example Telling errors apart
 * ```ts
 * import { TaskcastError } from "@taskcast/core";
 * import assert from "node:assert/strict";
 *
 * const error = new TaskcastError("TASK_NOT_FOUND", 'Cannot read task "t1": it does not exist');
 * assert.equal(error.code, "TASK_NOT_FOUND");
 * ```
 */
export class TaskcastError extends Error {
  /** `TaskcastError` */
  override readonly name: string = "TaskcastError";
  /** What went wrong, for programs. */
  readonly code: ErrorCode;
  /** Facts that belong to it. */
  readonly details?: Record<string, unknown>;

  /**
   * An error for callers.
   *
   * @param code What went wrong, for programs.
   * @param message "Cannot <do what>: <why, and how to mend it>".
   * @param options Details and cause.
   */
  constructor(code: ErrorCode, message: string, options: TaskcastErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    if (options.details !== undefined) this.details = options.details;
  }
}

/** Longer paths have names in them that somebody sent, and are cut. */
const LONGEST_PATH = 200;

/** `INVALID_INPUT` for the field at `path`, e.g. `tags[0]`. */
export function invalidInput(path: string, problem: string): TaskcastError {
  if (path.length > LONGEST_PATH) path = `${path.slice(0, LONGEST_PATH)}…`;
  const at = path === "" ? "The body" : `"${path}"`;
  return new TaskcastError("INVALID_INPUT", `${at} ${problem}`, { details: { path } });
}
