import type { ErrorBody, ErrorCode } from "@taskcast/core/protocol";
import { parseRetryAfter, TaskcastError } from "@taskcast/core/protocol";
import { UnreachableError } from "./unreachable.ts";

/** An answer that is an error: the server's, or that of something between here and the server. */
export class TaskcastHttpError extends TaskcastError {
  /** The HTTP status. */
  readonly status: number;
  /** Milliseconds after which the server wants to be asked again, if it said so. */
  readonly retryAfterMs?: number;
  /** The answer is not Taskcast's, e.g. that of a proxy, a firewall or a sign-in page. */
  readonly isForeign: boolean;

  /**
   * The error that an answer tells of.
   *
   * @param response What was answered.
   * @param body What a Taskcast server says of it. @default something else has answered
   */
  constructor(response: Response, body?: ErrorBody["error"]) {
    const { code, message, details } = body ?? foreign(response);
    super(code, message, { details });
    this.status = response.status;
    this.isForeign = body === undefined;
    this.retryAfterMs = parseRetryAfter(response.headers.get("retry-after"));
  }

  /**
   * True if the same request may succeed later. An answer that is not the server's says nothing
   * about what the server would answer.
   */
  get transient(): boolean {
    return this.isForeign || isTransient(this.status);
  }
}

/** Statuses that say by their definition that the same request may be sent again. */
function isTransient(status: number): boolean {
  return [408, 425, 429].includes(status) || status >= 500 && status !== 501 && status !== 505;
}

/** Answers of something else that are taken for an outage before the server has ever answered. */
const FOREIGN_ANSWERS = 5;

/**
 * Returns true if a retry cannot succeed. An answer that is not Taskcast's is an outage of the
 * path, once the server has answered. Before that the address may be wrong, or the host of the
 * server may have refused by itself: a 401 ends it at once, anything else when it has come several
 * times.
 *
 * @param before Earlier attempts: whether the server ever answered, and how many failed.
 */
export function isFinal(error: unknown, before: { isMet: boolean; failures: number }): boolean {
  const isWrongPlace = !before.isMet && before.failures >= FOREIGN_ANSWERS;
  if (error instanceof UnreachableError) return error.isBrowser && isWrongPlace;
  if (!(error instanceof TaskcastHttpError) || isTransient(error.status)) return false;
  return !error.isForeign || isWrongPlace || !before.isMet && error.status === 401;
}

/** Error codes for answers that are not Taskcast's, by status. */
const CODE_OF: Readonly<Record<number, ErrorCode>> = {
  401: "UNAUTHORIZED",
  403: "FORBIDDEN",
  408: "REQUEST_TIMEOUT",
  413: "PAYLOAD_TOO_LARGE",
  429: "RATE_LIMITED",
  500: "INTERNAL",
};

/**
 * Returns whether an error body is a Taskcast server's verdict. Proxies, firewalls and ingresses
 * may have bodies that look like ours, so with the statuses that they use most only the server's
 * own codes count.
 *
 * | Status    | Code                                                             |
 * | --------- | ---------------------------------------------------------------- |
 * | 401       | `UNAUTHORIZED`                                                   |
 * | 403       | `FORBIDDEN`                                                      |
 * | 404       | `TASK_NOT_FOUND`, `WEBHOOK_NOT_FOUND`, `NO_BLOCKED_REQUEST`      |
 * | any other | any in capitals: servers of later versions may have further ones |
 *
 * `NOT_FOUND` is none: it says that nothing is at an address, which any server may say of it.
 */
export function isVerdict(status: number, code: string): boolean {
  if (status === 404) return /^((TASK|WEBHOOK)_NOT_FOUND|NO_BLOCKED_REQUEST)$/.test(code);
  return status === 401 || status === 403 ? code === CODE_OF[status] : /^[A-Z_]+$/.test(code);
}

/**
 * Reads what went wrong, also from answers that something between here and the server gave.
 *
 * @throws {TypeError} If a refusal breaks off: then it is not known what was refused, and why.
 */
export async function errorOf(response: Response): Promise<TaskcastHttpError> {
  const { status } = response;
  const text = await response.text().catch((error) => {
    if (!isTransient(status)) throw error;
    return ""; // The status says enough: to try again.
  });
  let body: ErrorBody["error"] | undefined;
  try {
    const { error } = JSON.parse(text) as ErrorBody;
    if (isVerdict(status, error.code) && typeof error.message === "string") body = error;
  } catch {
    // Not ours.
  }
  return new TaskcastHttpError(response, body);
}

/** Returns the error for an answer that is not Taskcast's. */
function foreign({ status, url, headers }: Response): ErrorBody["error"] {
  const { pathname } = new URL(url || "http://unknown/");
  const type = headers.get("content-type") ?? "nothing";
  return {
    code: CODE_OF[status] ?? (status < 500 ? "NOT_FOUND" : "STORE_UNAVAILABLE"),
    message: `The server answered ${status} to ${pathname} with ${type}, which is not an answer ` +
      "of Taskcast: it comes from something in between, or baseUrl is wrong",
  };
}
