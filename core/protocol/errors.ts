/** All error codes. Codes are part of the API: new ones are added, none is renamed. */
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
  "IDEMPOTENCY_CONFLICT",
  "INVALID_TRANSITION",
  "TASK_TERMINAL",
  "SEQUENCE_GAP",
  "PRODUCER_FENCED",
  "LEASE_LOST",
  "LEASE_HELD",
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

/** A code that identifies an error for programs. */
export type ErrorCode = (typeof ERROR_CODES)[number];

/** For each code, whether it guarantees that the request had no effect. */
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
  IDEMPOTENCY_CONFLICT: true,
  INVALID_TRANSITION: true,
  TASK_TERMINAL: true,
  SEQUENCE_GAP: true,
  PRODUCER_FENCED: true,
  LEASE_LOST: true,
  LEASE_HELD: true,
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
 * Returns whether an error guarantees that nothing was stored. Without this guarantee the outcome is
 * unknown, and the request may be repeated only where repetitions are recognised: with a producer's
 * sequence number, or with a task id chosen by the caller.
 */
export function isRefusal(error: unknown): boolean {
  return error instanceof TaskcastError && IS_REFUSAL[error.code];
}

/** The body of an error response: `{"error": {code, message, details?}}`. */
export interface ErrorBody {
  /** The error. */
  error: {
    /** Identifies the error for programs. */
    code: ErrorCode;
    /** Describes the problem and its remedy for people. */
    message: string;
    /** Structured facts about the error. */
    details?: Record<string, unknown>;
  };
}

/** Details and cause of a {@linkcode TaskcastError}. */
export interface TaskcastErrorOptions {
  /** Flat facts, safe to show to the caller. */
  details?: Record<string, unknown>;
  /** The underlying error; never shown to remote callers. */
  cause?: unknown;
}

/**
 * The error class of Taskcast: a stable `code`, a message that names the remedy, and structured facts.
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
  /** Identifies the error for programs. */
  readonly code: ErrorCode;
  /** Structured facts about the error. */
  readonly details?: Record<string, unknown>;

  /**
   * Creates an error.
   *
   * @param code Identifies the error for programs.
   * @param message "Cannot <do something>: <reason and remedy>".
   * @param options Details and cause.
   */
  constructor(code: ErrorCode, message: string, options: TaskcastErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    if (options.details !== undefined) this.details = options.details;
  }
}

/** Maximum length of a path in a message; longer ones contain names from the input and are cut. */
const LONGEST_PATH = 200;

/** Creates an `INVALID_INPUT` error for the field at `path`, e.g. `tags[0]`. */
export function invalidInput(path: string, problem: string): TaskcastError {
  if (path.length > LONGEST_PATH) path = `${path.slice(0, LONGEST_PATH)}…`;
  const at = path === "" ? "The body" : `"${path}"`;
  return new TaskcastError("INVALID_INPUT", `${at} ${problem}`, { details: { path } });
}
