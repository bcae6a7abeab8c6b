import type { BackoffOptions } from "@taskcast/client/http";
import type { HttpClient } from "@taskcast/client/http";
import { assertBackoff, retryDelayMs, sleep, TaskcastHttpError } from "@taskcast/client/http";

/** How often and how long a request is repeated. */
export interface RetryOptions extends BackoffOptions {
  /**
   * Attempts at most, the first included. @default 6; and as long as nothing has ever answered, as
   * many as fit into half a second, so that a wrong address is told at once
   */
  attempts?: number;
}

/**
 * Requires options with which repeating pauses and ends.
 *
 * @throws {RangeError} For attempts that are no whole number from 1, and waits of 0.
 */
export function assertRetryOptions(options: RetryOptions): void {
  assertBackoff(options);
  const { attempts } = options;
  if (attempts !== undefined && !(Number.isInteger(attempts) && attempts >= 1)) {
    throw new RangeError(`attempts is ${attempts}; it must be a whole number from 1`);
  }
}

/** Earlier attempts. */
export interface Attempt {
  /** 1 for the first. */
  number: number;
  /**
   * An earlier attempt may have been carried out although its answer never came: the connection
   * broke, or something on the way gave up.
   */
  ambiguous: boolean;
}

/** A request that failed in a way that leaves open whether it was carried out. */
export function isAmbiguous(error: unknown): boolean {
  if (!(error instanceof TaskcastHttpError)) return true;
  // What looks like a success and is none, e.g. a sign-in page, hides what the server has answered.
  return error.status >= 500 || error.status === 408 || error.status < 400;
}

/** Milliseconds for trying again while nothing has ever answered. */
const FIRST_CONTACT_MS = 500;

/**
 * Returns true if a server most likely does not exist, so that more attempts would only hide it.
 *
 * @param spentMs Milliseconds from the first attempt to the end of the wait for the next one.
 */
export function isNowhere(http: HttpClient, { attempts }: RetryOptions, spentMs: number): boolean {
  return attempts === undefined && !http.isReached && spentMs > FIRST_CONTACT_MS;
}

/** Repeats a request that is safe to repeat until it succeeds or is refused. */
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
      // What is not the server's answer and no network error is a bug or an abort: not repeated.
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

/** Returns true if `fetch` failed by the connection, or because an attempt took too long. */
function isNetworkError(error: unknown): boolean {
  return error instanceof TypeError ||
    (error instanceof DOMException && error.name === "TimeoutError");
}
