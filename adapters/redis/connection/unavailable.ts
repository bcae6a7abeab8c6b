import { TaskcastError } from "@taskcast/core/protocol";

/** Returns an error that says why Redis cannot be used. */
export function unavailable(why: string, cause?: unknown): TaskcastError {
  return new TaskcastError("STORE_UNAVAILABLE", `Redis cannot be used: ${why}`, { cause });
}
