import { TaskcastError } from "@taskcast/core/protocol";

/** `RATE_LIMITED`, with the time after which it is worth trying again and the limit that was met. */
export function rateLimited(message: string, waitMs: number, limit: string): TaskcastError {
  return new TaskcastError("RATE_LIMITED", message, {
    details: { retryAfterMs: Math.ceil(waitMs), limit },
  });
}
