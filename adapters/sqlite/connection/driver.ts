/** A bound or read value. */
export type SqliteValue = string | number | null;

/** A row of a result. */
export type SqliteRow = Record<string, unknown>;

/** A prepared statement. */
export interface SqliteStatement {
  /** Runs the statement. */
  run(...values: SqliteValue[]): unknown;
  /** Returns the first row, or `undefined`. */
  get(...values: SqliteValue[]): unknown;
  /** Returns all rows. */
  all(...values: SqliteValue[]): unknown[];
}

/**
 * The part of a driver that Taskcast uses; `DatabaseSync` of `node:sqlite` (Deno, Node ≥ 22) and
 * better-sqlite3 both fit.
 */
export interface SqliteDatabase {
  /** Runs statements without results. */
  exec(sql: string): unknown;
  /** Prepares a statement. */
  prepare(sql: string): SqliteStatement;
  /** Closes the file. */
  close(): unknown;
}
