import type postgres from "postgres";

/** Properties of PostgreSQL and of the connection to it. */
export interface Environment {
  /**
   * Something between keeps connections to PostgreSQL of its own: the process that answers is not the
   * one that was named when the connection was made.
   */
  isPooled: boolean;
}

/** Encodings in which every text can be kept: SQL_ASCII takes the bytes as they come. */
const ENCODINGS: readonly string[] = ["UTF8", "SQL_ASCII"];

/**
 * Asks for the first answer, and what the environment is like.
 *
 * @throws {Error} If nothing answers, or the database cannot keep every text.
 */
export async function lookAround(sql: postgres.Sql): Promise<Environment> {
  const rows = await sql.unsafe<{ pid: number; encoding: string }[]>(
    "SELECT pg_backend_pid() AS pid, current_setting('server_encoding') AS encoding",
  ).catch((error: { code?: string }) => {
    if (error.code !== "CONNECT_TIMEOUT") throw error;
    throw new Error("it does not answer; is it a PostgreSQL?");
  });
  const { pid, encoding } = rows[0]!;
  if (!ENCODINGS.includes(encoding)) {
    throw new Error(
      `the encoding of the database is ${encoding}, in which not every text can be kept: ` +
        "create one with ENCODING 'UTF8'",
    );
  }
  return { isPooled: rows.state.pid !== pid };
}
