import type postgres from "postgres";

/** Properties of PostgreSQL and of the connection to it. */
export interface Environment {
  /**
   * A pooler is in between: the process that replies is not the one named when the connection was
   * made.
   */
  isPooled: boolean;
}

/** Encodings that can store every text; SQL_ASCII stores bytes as they are. */
const ENCODINGS: readonly string[] = ["UTF8", "SQL_ASCII"];

/**
 * Makes the first request and returns the environment.
 *
 * @throws {Error} If nothing replies, or the database cannot store every text.
 */
export async function readEnvironment(sql: postgres.Sql): Promise<Environment> {
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
