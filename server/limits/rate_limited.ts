import { TaskcastError } from "@taskcast/core/protocol";

/**
 * Returns a `RATE_LIMITED` error with the time after which to retry and the limit that was reached.
 */
export function rateLimited(message: string, waitMs: number, limit: string): TaskcastError {
  return new TaskcastError("RATE_LIMITED", message, {
    details: { retryAfterMs: Math.ceil(waitMs), limit },
  });
}
