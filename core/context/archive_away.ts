import { TaskcastError } from "../protocol/errors.ts";

/** Thrown if the archive cannot be reached and may be the only store with the requested data. */
export class ArchiveAway extends TaskcastError {
  constructor(message: string, cause?: unknown) {
    super("STORE_UNAVAILABLE", message, { cause });
  }
}

/** Awaits an answer of the archive, and throws {@linkcode ArchiveAway} if it cannot be reached. */
export async function orArchiveAway<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    if (!(error instanceof TaskcastError) || error.code !== "STORE_UNAVAILABLE") throw error;
    throw new ArchiveAway(error.message, error);
  }
}
