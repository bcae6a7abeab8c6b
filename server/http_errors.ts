import type { ErrorBody, ErrorCode } from "@taskcast/core/protocol";
import { TaskcastError, toJsonLine } from "@taskcast/core/protocol";

/** The HTTP status of each error code. The type requires a status for every code. */
export const STATUS_OF: Readonly<Record<ErrorCode, number>> = {
  INVALID_INPUT: 400,
  INVALID_CURSOR: 400,
  SERIES_CONFLICT: 400,
  NOT_SUPPORTED: 400,
  WEBHOOK_NOT_FOUND: 404,
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  TASK_NOT_FOUND: 404,
  NOT_FOUND: 404,
  NO_BLOCKED_REQUEST: 404,
  METHOD_NOT_ALLOWED: 405,
  TASK_EXISTS: 409,
  IDEMPOTENCY_CONFLICT: 409,
  INVALID_TRANSITION: 409,
  TASK_TERMINAL: 409,
  SEQUENCE_GAP: 409,
  PRODUCER_FENCED: 409,
  LEASE_LOST: 409,
  LEASE_HELD: 409,
  TASK_FULL: 409,
  REQUEST_TIMEOUT: 408,
  PAYLOAD_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  RATE_LIMITED: 429,
  INTERNAL: 500,
  DATA_LOST: 500,
  STORE_FULL: 503,
  STORE_UNAVAILABLE: 503,
  KEYS_UNAVAILABLE: 503,
  ENGINE_CLOSED: 503,
};

/** Time after which a client may retry, if the error does not specify one. */
const RETRY_AFTER_MS = 1_000;

/**
 * Returns the response for an error. An error that is not a {@linkcode TaskcastError} reveals only
 * the id of the request, by which it can be found in the log.
 */
export function errorResponse(error: unknown, requestId?: string): Response {
  const { code, message, details } = publicErrorOf(error, requestId);
  const status = STATUS_OF[code];
  const headers = new Headers({ "content-type": "application/json" });
  // The rest of the body may still arrive, and must not be taken for another request.
  if (status === 408) headers.set("connection", "close");
  if (status === 401) headers.set("www-authenticate", 'Bearer realm="taskcast"');
  if (status === 503 || status === 429) {
    headers.set("retry-after", String(retryAfterSeconds(error)));
  }
  const body: ErrorBody = { error: { code, message, ...(details && { details }) } };
  return new Response(toJsonLine(body), { status, headers });
}

/** Returns the part of an error that callers may see. */
export function publicErrorOf(
  error: unknown,
  requestId?: string,
): Pick<TaskcastError, "code" | "message" | "details"> {
  return error instanceof TaskcastError ? error : {
    code: "INTERNAL",
    message: "Something went wrong on the server",
    details: requestId === undefined ? undefined : { requestId },
  };
}

/**
 * Returns whole seconds, as the header requires, rounded up: a client that retries too early is
 * refused.
 */
function retryAfterSeconds(error: unknown): number {
  const waitMs = error instanceof TaskcastError ? error.details?.retryAfterMs : undefined;
  return Math.max(1, Math.ceil(Number(waitMs ?? RETRY_AFTER_MS) / 1000));
}

/** Returns whether an error is the server's own fault and should be reported to its host. */
export function isUnexpected(error: unknown): boolean {
  if (!(error instanceof TaskcastError)) return true;
  // The host itself closed the engine.
  return STATUS_OF[error.code] >= 500 && error.code !== "ENGINE_CLOSED";
}
