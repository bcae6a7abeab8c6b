import type postgres from "postgres";

/** A value of a query: everything but texts and numbers travels as JSON. */
export type Value = string | number | boolean | null;

/** Runs one statement. */
export type Run = <Row extends object>(text: string, ...values: Value[]) => Promise<Row[]>;

/** Runs a statement where it is told. */
export async function runOn<Row extends object>(
  sql: postgres.Sql | postgres.TransactionSql,
  text: string,
  values: Value[],
): Promise<Row[]> {
  return [...await sql.unsafe<Row[]>(text, values, { prepare: values.length > 0 })];
}

/** Runs statements as one transaction; those that are given at once travel together. */
export async function inTransaction<T>(
  pool: postgres.Sql,
  work: (run: Run) => Promise<T>,
): Promise<T> {
  const result = await pool.begin(async (sql) => {
    let broken = false;
    const run: Run = async (text, ...values) => {
      try {
        return await runOn(sql, text, values);
      } catch (error) {
        broken ||= endsConnection(error);
        throw error;
      }
    };
    try {
      return { value: await work(run) };
    } catch (error) {
      // The driver would send ROLLBACK on a connection that has closed, which ends the process
      // (3.4.9: "Cannot read properties of null (reading 'write')"). It rejects by itself when it
      // hears that the connection closed, so this need not end.
      if (broken) await new Promise(() => {});
      throw error;
    }
  });
  return (result as { value: T }).value;
}

/** Whether the connection is gone, or goes with this error. */
function endsConnection(error: unknown): boolean {
  const { name, severity } = error as { name?: string; severity?: string };
  return name !== "PostgresError" || severity === "FATAL" || severity === "PANIC";
}
