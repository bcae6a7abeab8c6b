import { TaskcastError } from "@taskcast/core/protocol";

/** What went wrong in PostgreSQL, or on the way to it, as the caller is told. */
export function worded(error: unknown): TaskcastError {
  if (error instanceof TaskcastError) return error;
  const { code = "" } = error as { code?: string };
  // https://www.postgresql.org/docs/current/errcodes-appendix.html
  if (code === "53100") {
    return new TaskcastError("STORE_FULL", "The disk of PostgreSQL is full", { cause: error });
  }
  if (isOfData(error)) {
    const why = code === "" ? "" : ` (${code})`;
    const message = `PostgreSQL cannot store this, however often it is tried${why}`;
    return new TaskcastError("INTERNAL", message, { cause: error });
  }
  return unavailable(`it answered with an error, or not at all${code && ` (${code})`}`, error);
}

/** Whether an error says that the same work can never succeed, and that nothing of it was stored. */
export function isHopeless(error: unknown): boolean {
  return error instanceof TaskcastError && error.code === "INTERNAL";
}

/** The one row of a statement that always gives one. */
export function answerOf<Row>(row: Row | undefined): Row {
  if (row === undefined) throw unavailable("its answer was not complete");
  return row;
}

/** No answer came in time. */
export function late(timeoutMs: number): TaskcastError {
  return unavailable(`no answer within ${timeoutMs} ms`);
}

/** So many wait that one more is refused. */
export function tooMany(maxPending: number): TaskcastError {
  return unavailable(`${maxPending} requests wait for it already`);
}

/**
 * PostgreSQL refused a value (classes 22 and 23), or the values could not be made into text. What
 * goes wrong with a connection is never one of these, so the transaction was not committed.
 */
function isOfData(error: unknown): boolean {
  const { name, code = "" } = error as { name?: string; code?: string };
  if (name === "PostgresError") return /^2[23]/.test(code);
  return error instanceof RangeError || error instanceof TypeError || error instanceof SyntaxError;
}

function unavailable(why: string, cause?: unknown): TaskcastError {
  return new TaskcastError("STORE_UNAVAILABLE", `PostgreSQL cannot be used: ${why}`, { cause });
}
