import { TaskcastError } from "@taskcast/core/protocol";

/** Thrown when entries read one after the other are inconsistent, because they changed in between. */
export class ChangedMeanwhile extends Error {
  override readonly name = "ChangedMeanwhile";
}

/**
 * Returns true if another process was writing to the file. SQLite, which stores a local Deno KV,
 * has then done nothing.
 */
export function isBusy(error: unknown): boolean {
  return error instanceof Error && /database is (locked|busy)/i.test(error.message);
}

/** Returns the error for callers when Deno KV fails. */
export function toTaskcastError(error: unknown): TaskcastError {
  if (error instanceof TaskcastError) return error;
  const why = error instanceof Error ? error.message : String(error);
  // These are the words for what no repetition will change.
  if (error instanceof TypeError && /too (large|many)/i.test(why)) {
    return new TaskcastError("INTERNAL", `Deno KV cannot store this: ${why}`, { cause: error });
  }
  return unavailable(why, error);
}

/** It cannot be used at the moment. */
export function unavailable(why: string, cause?: unknown): TaskcastError {
  return new TaskcastError("STORE_UNAVAILABLE", `Cannot reach Deno KV: ${why}`, { cause });
}
