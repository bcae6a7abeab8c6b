import { TaskcastError } from "../protocol/errors.ts";

/** The archive cannot be reached, and what is asked for may be only there. */
export class ArchiveAway extends TaskcastError {
  constructor(message: string, cause?: unknown) {
    super("STORE_UNAVAILABLE", message, { cause });
  }
}

/** What the archive says, with an error of its own for when it cannot be reached. */
export async function orArchiveAway<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    if (!(error instanceof TaskcastError) || error.code !== "STORE_UNAVAILABLE") throw error;
    throw new ArchiveAway(error.message, error);
  }
}
