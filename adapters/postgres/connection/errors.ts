import type { HealthReport } from "@taskcast/core/adapter";
import { TaskcastError } from "@taskcast/core/protocol";

/** Causes that an operator can remove, in words without secrets. */
const KNOWN_CAUSES: Readonly<Record<string, string>> = {
  "25006": "it only reads at the moment: a standby, or a server that is out of disk",
  "42501": "its role lacks rights, see docs/reference/storage/postgres.md",
  "53100": "its disk is full",
  "53300": "it has no connections left",
};

/** The state of PostgreSQL when a check failed with an error, if that says what is the matter. */
export function healthOf(error: unknown): HealthReport | undefined {
  const { cause } = error as { cause?: unknown };
  const why = KNOWN_CAUSES[codeOf(cause ?? error)];
  return why === undefined
    ? undefined
    : { status: "unavailable", message: `PostgreSQL cannot be used: ${why}` };
}

/** Returns the error for callers when PostgreSQL, or the way to it, fails. */
export function worded(error: unknown): TaskcastError {
  if (error instanceof TaskcastError) return error;
  const code = codeOf(error);
  // https://www.postgresql.org/docs/current/errcodes-appendix.html
  if (code === "53100") {
    return new TaskcastError("STORE_FULL", "The disk of PostgreSQL is full", { cause: error });
  }
  if (isOfData(error)) {
    const why = code === "" ? "" : ` (${code})`;
    const message = `PostgreSQL cannot store this, however often it is tried${why}`;
    return new TaskcastError("INTERNAL", message, { cause: error });
  }
  const why = KNOWN_CAUSES[code] ?? "it answered with an error, or not at all";
  return unavailable(`${why}${code && ` (${code})`}`, error);
}

/** Treatment of a session that answered with an error. */
export type Verdict =
  /** The error says nothing about the session. */
  | "keep"
  /** It only reads, and refused to write; a new one may well do, so the work is done there. */
  | "replace"
  /** It is about to end; whether the work was done is not known. */
  | "leave"
  /** It does not know the name of a prepared statement, or has it already. Nothing was done. */
  | "stop preparing";

const VERDICTS: Readonly<Record<string, Verdict>> = {
  // It began while a managed server that had run out of disk was set to read only, or it leads to
  // what is a standby by now.
  "25006": "replace",
  "57P01": "leave",
  "57P02": "leave",
  "57P03": "leave",
  "26000": "stop preparing",
  "42P05": "stop preparing",
};

/** Returns the treatment of a session for its error. */
export function verdictOf(error: unknown): Verdict {
  return VERDICTS[codeOf(error)] ?? "keep";
}

/**
 * Returns true if a session ended before it answered, by the server or a closed connection. A
 * statement that only reads may then be repeated; any other may have been carried out.
 */
export function isEndOfSession(error: unknown): boolean {
  return /^(57P0[123]|CONNECTION_(CLOSED|DESTROYED|ENDED))$/.test(codeOf(error));
}

function codeOf(error: unknown): string {
  return (error as { code?: string }).code ?? "";
}

/** Returns true if the same work can never succeed and nothing of it was stored. */
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
 * PostgreSQL refused a value (classes 22 and 23), a trigger or a function did (38, 39, 2F, P0), it
 * is beyond a limit (54), or the values could not be made into text. What goes wrong with a
 * connection is never one of these, so the transaction was not committed.
 */
function isOfData(error: unknown): boolean {
  const { name, code = "" } = error as { name?: string; code?: string };
  if (name === "PostgresError") return /^(2[23F]|3[89]|54|P0)/.test(code);
  return error instanceof RangeError || error instanceof TypeError || error instanceof SyntaxError;
}

function unavailable(why: string, cause?: unknown): TaskcastError {
  return new TaskcastError("STORE_UNAVAILABLE", `PostgreSQL cannot be used: ${why}`, { cause });
}
