import { TaskcastError } from "@taskcast/core/protocol";

/** What was read does not fit together, since it was changed or removed in between. */
export class ChangedMeanwhile extends Error {
  override readonly name = "ChangedMeanwhile";
}

/**
 * Whether another process was writing to the file. SQLite, in which a local Deno KV keeps its data,
 * has then done nothing.
 */
export function isBusy(error: unknown): boolean {
  return error instanceof Error && /database is (locked|busy)/i.test(error.message);
}

/** What went wrong in Deno KV, as the caller is told. */
export function worded(error: unknown): TaskcastError {
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
