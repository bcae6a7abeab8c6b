import type { BackoffOptions } from "@taskcast/client/http";
import { backoffMs, sleep, TaskcastHttpError } from "@taskcast/client/http";

/** How often and how long a request is repeated. */
export interface RetryOptions extends BackoffOptions {
  /** Attempts at most, the first included. @default {6} */
  attempts?: number;
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
      const delayMs = refused ? error.retryAfterMs : undefined;
      await sleep(delayMs ?? backoffMs(number, options));
    }
  }
}

/** What `fetch` rejects with when the connection fails, or when an attempt took too long. */
function isNetworkError(error: unknown): boolean {
  return error instanceof TypeError ||
    (error instanceof DOMException && error.name === "TimeoutError");
}
