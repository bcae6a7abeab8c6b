import type postgres from "postgres";
import { TaskcastError } from "@taskcast/core/protocol";
import type { Value } from "./literals.ts";
import { withValues } from "./literals.ts";

/** Runs one statement. */
export type Run = <Row extends object>(text: string, ...values: Value[]) => Promise<Row[]>;

/** The connections that run statements, and how. */
export interface Session {
  sql: postgres.Sql;
  /**
   * Set to prepare statements under names. Behind a pooler that gives each transaction another
   * connection, a name would be known to one connection only.
   */
  prepares: boolean;
}

/** Runs a statement on a given connection. */
export async function runOn<Row extends object>(
  { sql, prepares }: { sql: postgres.Sql | postgres.TransactionSql; prepares: boolean },
  text: string,
  values: Value[],
): Promise<Row[]> {
  if (values.length > 0 && prepares) {
    return [...await sql.unsafe<Row[]>(text, values, { prepare: true })];
  }
  // Not as an unnamed statement: the driver waits for a reply in the middle of each.
  return [...await sql.unsafe<Row[]>(withValues(text, values))];
}

/**
 * Runs statements as one transaction; statements issued together travel together.
 *
 * Succeeds only if PostgreSQL confirms the commit of exactly this transaction. The server replies to
 * the COMMIT of a failed transaction with success and the word ROLLBACK, and a pooler might send the
 * COMMIT to another connection. So the transaction carries a mark, and one message checks the mark and
 * commits.
 *
 * @param settings Statements to run first, each followed by a semicolon.
 */
export function inTransaction<T>(
  { sql, prepares }: Session,
  work: (run: Run) => Promise<T>,
  settings = "",
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    sql.begin(async (transaction) => {
      try {
        resolve(await runAndCommit({ sql: transaction, prepares }, work, settings));
      } catch (error) {
        reject(error);
      }
      // The driver would now send its own COMMIT, which is a prepared statement and whose reply it
      // hides. It takes the connection back when the transaction or the connection ends, so this
      // need not resolve.
      await new Promise(() => {});
    }).catch(reject);
  });
}

async function runAndCommit<T>(
  session: { sql: postgres.TransactionSql; prepares: boolean },
  work: (run: Run) => Promise<T>,
  settings: string,
): Promise<T> {
  const mark = crypto.randomUUID();
  let broken = false;
  let over = false;
  /** The error that failed the transaction, and with it all later statements. */
  let cause: unknown;
  const run: Run = async (text, ...values) => {
    // The connection may serve someone else by now.
    if (over) throw new Error("The transaction is over");
    try {
      return await runOn(session, text, values);
    } catch (error) {
      broken ||= endsConnection(error);
      if (!isConsequence(error)) cause ??= error;
      throw error;
    }
  };
  try {
    const [, value] = await Promise.all([
      run(`${settings}SET LOCAL ${MARK} = '${mark}'`),
      work(run),
    ]);
    const committing = session.sql.unsafe(
      `SELECT 1 / (current_setting('${MARK}', true) IS NOT DISTINCT FROM '${mark}')::int; COMMIT`,
    );
    over = true;
    const { command } = await committing.catch((error) => {
      broken ||= endsConnection(error);
      throw (error as { code?: string }).code === DIVISION_BY_ZERO ? notCommitted(error) : error;
    });
    if (command !== "COMMIT") throw notCommitted();
    return value;
  } catch (error) {
    over = true;
    // On a closed connection, the driver would crash the process (3.4.9: "Cannot read properties of
    // null (reading 'write')").
    if (!broken) await session.sql.unsafe("ROLLBACK").catch(() => {});
    // By now all statements have been answered. The first rejection need not be that of the first failure.
    throw isConsequence(error) ? cause ?? error : error;
  }
}

/** The setting that marks a transaction; it needs no rights and ends with it. */
const MARK = "taskcast.transaction";

const DIVISION_BY_ZERO = "22012";

const IN_FAILED_TRANSACTION = "25P02";

function notCommitted(cause?: unknown): TaskcastError {
  return new TaskcastError(
    "STORE_UNAVAILABLE",
    "PostgreSQL cannot be used: it did not commit a transaction of which every statement succeeded; " +
      "does a pooler spread transactions over several connections?",
    { cause },
  );
}

/** Returns whether a statement failed only because an earlier one of its transaction did. */
function isConsequence(error: unknown): boolean {
  return (error as { code?: string }).code === IN_FAILED_TRANSACTION;
}

/** Returns whether the connection is gone, or goes with this error. */
function endsConnection(error: unknown): boolean {
  const { name, severity } = error as { name?: string; severity?: string };
  return name !== "PostgresError" || severity === "FATAL" || severity === "PANIC";
}
