import type { BackoffOptions } from "@taskcast/client/http";
import type { HttpClient } from "@taskcast/client/http";
import { assertBackoff, retryDelayMs, sleep, TaskcastHttpError } from "@taskcast/client/http";

/** How often and how long a request is retried. */
export interface RetryOptions extends BackoffOptions {
  /**
   * Maximum number of attempts, including the first. @default 6; if nothing has ever answered, as
   * many as fit into half a second, so that a wrong address is reported soon
   */
  attempts?: number;
}

/**
 * Checks the options of retries.
 *
 * @throws {RangeError} If the attempts are not a whole number from 1, or if a delay is below 1.
 */
export function assertRetryOptions(options: RetryOptions): void {
  assertBackoff(options);
  const { attempts } = options;
  if (attempts !== undefined && !(Number.isInteger(attempts) && attempts >= 1)) {
    throw new RangeError(`attempts is ${attempts}; it must be a whole number from 1`);
  }
}

/** State before the current attempt. */
export interface Attempt {
  /** Number of the attempt; 1 for the first. */
  number: number;
  /**
   * Set if an earlier attempt may have succeeded although its answer never arrived, because the
   * connection broke or an intermediary timed out.
   */
  ambiguous: boolean;
}

/** Returns whether a failed request may have succeeded on the server. */
export function isAmbiguous(error: unknown): boolean {
  if (!(error instanceof TaskcastHttpError)) return true;
  // A foreign answer of a successful status, e.g. a sign-in page, hides the server's answer.
  return error.status >= 500 || error.status === 408 || error.status < 400;
}

/** Maximum milliseconds of retries if nothing has ever answered. */
const FIRST_CONTACT_MS = 500;

/**
 * Returns whether there is probably no server at the address, so that more attempts would only
 * delay the error.
 *
 * @param spentMs Milliseconds from the first attempt to the end of the wait for the next one.
 */
export function isNowhere(http: HttpClient, { attempts }: RetryOptions, spentMs: number): boolean {
  return attempts === undefined && !http.isReached && spentMs > FIRST_CONTACT_MS;
}

/** Sends an idempotent request until it succeeds, is refused, or the attempts are exhausted. */
export async function retrying<T>(
  http: HttpClient,
  options: RetryOptions,
  send: (attempt: Attempt) => Promise<T>,
): Promise<T> {
  const { attempts = 6 } = options;
  const startMs = performance.now();
  for (let number = 1, ambiguous = false;; number++) {
    try {
      return await send({ number, ambiguous });
    } catch (error) {
      const refused = error instanceof TaskcastHttpError;
      // Other errors are bugs or aborts, and are not retried.
      const transient = refused ? error.transient : isNetworkError(error);
      if (!transient || number >= attempts) throw error;
      ambiguous ||= isAmbiguous(error);
      const delayMs = retryDelayMs(number, error, options);
      const spentMs = performance.now() - startMs + delayMs;
      if (error instanceof TypeError && isNowhere(http, options, spentMs)) throw error;
      await sleep(delayMs);
    }
  }
}

/** Returns whether `fetch` failed because of the connection or a timeout. */
function isNetworkError(error: unknown): boolean {
  return error instanceof TypeError ||
    (error instanceof DOMException && error.name === "TimeoutError");
}
