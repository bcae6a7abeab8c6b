import type { HealthReport } from "@taskcast/core/adapter";
import { TaskcastError } from "@taskcast/core/protocol";

/** Messages for problems that an operator can solve. They are public. */
const KNOWN_CAUSES: Readonly<Record<string, string>> = {
  "25006": "it only reads at the moment: a standby, or a server that is out of disk",
  "42501": "its role lacks rights, see docs/reference/storage/postgres.md",
  "53100": "its disk is full",
  "53300": "it has no connections left",
};

/** Returns a health report for an error of a check, if the error names a known problem. */
export function healthOf(error: unknown): HealthReport | undefined {
  const { cause } = error as { cause?: unknown };
  const why = KNOWN_CAUSES[codeOf(cause ?? error)];
  return why === undefined
    ? undefined
    : { status: "unavailable", message: `PostgreSQL cannot be used: ${why}` };
}

/** Returns the error for callers when PostgreSQL or the connection to it fails. */
export function toTaskcastError(error: unknown): TaskcastError {
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

/** The consequence of an error for the session it came from. */
export type Verdict =
  /** The error says nothing about the session. */
  | "keep"
  /** The session is read-only. The work was not done and may succeed on a new session. */
  | "replace"
  /** The session is about to end; whether the work was done is unknown. */
  | "leave"
  /** The session does not know a prepared statement, or has it already. Nothing was done. */
  | "stop preparing";

const VERDICTS: Readonly<Record<string, Verdict>> = {
  // The session started while a managed server was read-only for lack of disk space, or its server
  // is a standby now.
  "25006": "replace",
  "57P01": "leave",
  "57P02": "leave",
  "57P03": "leave",
  "26000": "stop preparing",
  "42P05": "stop preparing",
};

/** Returns the consequence of an error for its session. */
export function verdictOf(error: unknown): Verdict {
  return VERDICTS[codeOf(error)] ?? "keep";
}

/**
 * Returns whether a session ended before it replied, by the server or a closed connection. A
 * reading statement may then be repeated; a writing one may have run.
 */
export function isEndOfSession(error: unknown): boolean {
  return /^(57P0[123]|CONNECTION_(CLOSED|DESTROYED|ENDED))$/.test(codeOf(error));
}

function codeOf(error: unknown): string {
  return (error as { code?: string }).code ?? "";
}

/** Returns whether an error proves that the work can never succeed and that nothing was stored. */
export function isHopeless(error: unknown): boolean {
  return error instanceof TaskcastError && error.code === "INTERNAL";
}

/** Returns the row of a statement that always returns one. */
export function answerOf<Row>(row: Row | undefined): Row {
  if (row === undefined) throw unavailable("its answer was not complete");
  return row;
}

/** Returns the error for a reply that did not come in time. */
export function late(timeoutMs: number): TaskcastError {
  return unavailable(`no answer within ${timeoutMs} ms`);
}

/** Returns the error for a request beyond the maximum of waiting ones. */
export function tooMany(maxPending: number): TaskcastError {
  return unavailable(`${maxPending} requests are already waiting for it`);
}

/**
 * Returns whether an error is about the data: PostgreSQL (classes 22 and 23), a trigger or a
 * function (38, 39, 2F, P0) refused a value, it is beyond a limit (54), or the values could not be
 * serialized. Connection failures are none of these, so the transaction was not committed.
 */
function isOfData(error: unknown): boolean {
  const { name, code = "" } = error as { name?: string; code?: string };
  if (name === "PostgresError") return /^(2[23F]|3[89]|54|P0)/.test(code);
  return error instanceof RangeError || error instanceof TypeError || error instanceof SyntaxError;
}

function unavailable(why: string, cause?: unknown): TaskcastError {
  return new TaskcastError("STORE_UNAVAILABLE", `PostgreSQL cannot be used: ${why}`, { cause });
}
