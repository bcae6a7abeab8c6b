import type { BackoffOptions } from "@taskcast/client/http";
import { assertBackoff, retryDelayMs, sleep, TaskcastHttpError } from "@taskcast/client/http";

/** How often and how long a request is repeated. */
export interface RetryOptions extends BackoffOptions {
  /** Attempts at most, the first included. @default {6} */
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

/** What happened before the attempt that is being made. */
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
  return !(error instanceof TaskcastHttpError) || error.status >= 500;
}

/** Repeats a request that is safe to repeat until it succeeds or is refused. */
export async function retrying<T>(
  options: RetryOptions,
  send: (attempt: Attempt) => Promise<T>,
): Promise<T> {
  const { attempts = 6 } = options;
  for (let number = 1, ambiguous = false;; number++) {
    try {
      return await send({ number, ambiguous });
    } catch (error) {
      const refused = error instanceof TaskcastHttpError;
      // What is not the server's answer and no network error is a bug or an abort: not repeated.
      const transient = refused ? error.transient : isNetworkError(error);
      if (!transient || number >= attempts) throw error;
      ambiguous ||= isAmbiguous(error);
      await sleep(retryDelayMs(number, error, options));
    }
  }
}

/** What `fetch` rejects with when the connection fails, or when an attempt took too long. */
function isNetworkError(error: unknown): boolean {
  return error instanceof TypeError ||
    (error instanceof DOMException && error.name === "TimeoutError");
}
