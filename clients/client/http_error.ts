import type { ErrorBody, ErrorCode } from "@taskcast/core/protocol";
import { parseRetryAfter, TaskcastError } from "@taskcast/core/protocol";
import { UnreachableError } from "./unreachable.ts";

/** An error answer of the server, or of an intermediary on the path to it. */
export class TaskcastHttpError extends TaskcastError {
  /** The HTTP status. */
  readonly status: number;
  /** Milliseconds to wait before the next attempt, if the answer has `Retry-After`. */
  readonly retryAfterMs?: number;
  /** Set if the answer is not Taskcast's but e.g. that of a proxy, a firewall or a sign-in page. */
  readonly isForeign: boolean;

  /**
   * Creates the error of an answer.
   *
   * @param response The answer.
   * @param body Error body of a Taskcast server. @default a foreign answer
   */
  constructor(response: Response, body?: ErrorBody["error"]) {
    const { code, message, details } = body ?? foreign(response);
    super(code, message, { details });
    this.status = response.status;
    this.isForeign = body === undefined;
    this.retryAfterMs = parseRetryAfter(response.headers.get("retry-after"));
  }

  /**
   * Set if the same request may succeed later. This includes foreign answers, because the server
   * itself has not refused the request.
   */
  get transient(): boolean {
    return this.isForeign || isTransient(this.status);
  }
}

/** Returns whether the same request may succeed later, by the definition of the status. */
function isTransient(status: number): boolean {
  return [408, 425, 429].includes(status) || status >= 500 && status !== 501 && status !== 505;
}

/** Number of foreign answers that are treated as an outage before the server has ever answered. */
const FOREIGN_ANSWERS = 5;

/**
 * Returns whether retrying is pointless. Once the server has answered, a foreign answer is an
 * outage on the path to it. Before that, the address may be wrong, or the server's host may have
 * refused the request itself: a 401 is final at once, any other answer after several.
 *
 * @param before State before the attempt: whether the server has answered, and the number of
 * failures.
 */
export function isFinal(error: unknown, before: { isMet: boolean; failures: number }): boolean {
  const isWrongPlace = !before.isMet && before.failures >= FOREIGN_ANSWERS;
  if (error instanceof UnreachableError) return error.isBrowser && isWrongPlace;
  if (!(error instanceof TaskcastHttpError) || isTransient(error.status)) return false;
  return !error.isForeign || isWrongPlace || !before.isMet && error.status === 401;
}

/** Error codes for the statuses of foreign answers. */
const CODE_OF: Readonly<Record<number, ErrorCode>> = {
  401: "UNAUTHORIZED",
  403: "FORBIDDEN",
  408: "REQUEST_TIMEOUT",
  413: "PAYLOAD_TOO_LARGE",
  429: "RATE_LIMITED",
  500: "INTERNAL",
};

/**
 * Returns whether an error body comes from a Taskcast server. Bodies of proxies, firewalls and
 * ingresses may look like ours, so for the statuses that they use most, only the server's own codes
 * count.
 *
 * | Status    | Code                                                             |
 * | --------- | ---------------------------------------------------------------- |
 * | 401       | `UNAUTHORIZED`                                                   |
 * | 403       | `FORBIDDEN`                                                      |
 * | 404       | `TASK_NOT_FOUND`, `WEBHOOK_NOT_FOUND`, `NO_BLOCKED_REQUEST`      |
 * | any other | any in capitals: later versions of the server may have more      |
 *
 * `NOT_FOUND` is not a verdict: any server may answer it for an unknown address.
 */
export function isVerdict(status: number, code: string): boolean {
  if (status === 404) return /^((TASK|WEBHOOK)_NOT_FOUND|NO_BLOCKED_REQUEST)$/.test(code);
  return status === 401 || status === 403 ? code === CODE_OF[status] : /^[A-Z_]+$/.test(code);
}

/**
 * Reads an error answer, of the server or of an intermediary.
 *
 * @throws {TypeError} If the body of a refusal breaks off, so that its code is unknown.
 */
export async function errorOf(response: Response): Promise<TaskcastHttpError> {
  const { status } = response;
  const text = await response.text().catch((error) => {
    if (!isTransient(status)) throw error;
    return ""; // The status alone allows a retry.
  });
  let body: ErrorBody["error"] | undefined;
  try {
    const { error } = JSON.parse(text) as ErrorBody;
    if (isVerdict(status, error.code) && typeof error.message === "string") body = error;
  } catch {
    // A foreign answer.
  }
  return new TaskcastHttpError(response, body);
}

/** Returns the error body for a foreign answer. */
function foreign({ status, url, headers }: Response): ErrorBody["error"] {
  const { pathname } = new URL(url || "http://unknown/");
  const type = headers.get("content-type") ?? "nothing";
  return {
    code: CODE_OF[status] ?? (status < 500 ? "NOT_FOUND" : "STORE_UNAVAILABLE"),
    message: `The server answered ${status} to ${pathname} with ${type}, which is not an answer ` +
      "of Taskcast: it comes from something in between, or baseUrl is wrong",
  };
}
