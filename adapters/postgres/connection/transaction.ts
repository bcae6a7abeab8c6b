import type postgres from "postgres";
import { TaskcastError } from "@taskcast/core/protocol";
import type { Value } from "./literals.ts";
import { withValues } from "./literals.ts";

/** Runs one statement. */
export type Run = <Row extends object>(text: string, ...values: Value[]) => Promise<Row[]>;

/** Where statements are run, and how. */
export interface Session {
  sql: postgres.Sql;
  /**
   * True if statements are prepared under a name. Behind a pooler that gives each transaction
   * another connection they are not: the name is known to one connection only.
   */
  prepares: boolean;
}

/** Runs a statement where it is told. */
export async function runOn<Row extends object>(
  { sql, prepares }: { sql: postgres.Sql | postgres.TransactionSql; prepares: boolean },
  text: string,
  values: Value[],
): Promise<Row[]> {
  if (values.length > 0 && prepares) {
    return [...await sql.unsafe<Row[]>(text, values, { prepare: true })];
  }
  // Not as an unnamed statement: the driver waits for an answer in the middle of each of those.
  return [...await sql.unsafe<Row[]>(withValues(text, values))];
}

/**
 * Runs statements as one transaction; those that are given at once travel together.
 *
 * It succeeds only if PostgreSQL says that exactly this transaction was committed. The server
 * answers a COMMIT of a transaction that failed with success and another word, ROLLBACK; and
 * whoever passes statements on might send it elsewhere. So the transaction carries a mark, and the
 * COMMIT comes in one message with a look at it.
 *
 * @param settings Statements, each with a semicolon behind it, that are run first.
 */
export function inTransaction<T>(
  { sql, prepares }: Session,
  work: (run: Run) => Promise<T>,
  settings = "",
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    sql.begin(async (transaction) => {
      try {
        resolve(await carryOut({ sql: transaction, prepares }, work, settings));
      } catch (error) {
        reject(error);
      }
      // The driver would send a COMMIT of its own now, which is prepared under a name and of which
      // it does not tell the answer. It takes the connection back when the transaction is over, or
      // the connection, so this need not end.
      await new Promise(() => {});
    }).catch(reject);
  });
}

async function carryOut<T>(
  session: { sql: postgres.TransactionSql; prepares: boolean },
  work: (run: Run) => Promise<T>,
  settings: string,
): Promise<T> {
  const mark = crypto.randomUUID();
  let broken = false;
  let over = false;
  const run: Run = async (text, ...values) => {
    // The connection may be somebody else's by now.
    if (over) throw new Error("The transaction is over");
    try {
      return await runOn(session, text, values);
    } catch (error) {
      broken ||= endsConnection(error);
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
    // On a connection that has closed the driver would end the process (3.4.9: "Cannot read
    // properties of null (reading 'write')").
    if (!broken) await session.sql.unsafe("ROLLBACK").catch(() => {});
    throw error;
  }
}

/** The setting that marks a transaction; it needs no rights and ends with it. */
const MARK = "taskcast.transaction";

const DIVISION_BY_ZERO = "22012";

function notCommitted(cause?: unknown): TaskcastError {
  return new TaskcastError(
    "STORE_UNAVAILABLE",
    "PostgreSQL cannot be used: it did not commit a transaction of which every statement succeeded; " +
      "does a pooler spread transactions over several connections?",
    { cause },
  );
}

/** Returns true if the connection is lost, or will be by this error. */
function endsConnection(error: unknown): boolean {
  const { name, severity } = error as { name?: string; severity?: string };
  return name !== "PostgresError" || severity === "FATAL" || severity === "PANIC";
}
