/** A value as it is bound or read. */
export type SqliteValue = string | number | null;

/** A row as it is read. */
export type SqliteRow = Record<string, unknown>;

/** A statement that can be run many times. */
export interface SqliteStatement {
  /** Runs it. */
  run(...values: SqliteValue[]): unknown;
  /** The first row, or `undefined`. */
  get(...values: SqliteValue[]): unknown;
  /** All rows. */
  all(...values: SqliteValue[]): unknown[];
}

/**
 * As much of a driver as is needed: `DatabaseSync` of `node:sqlite` (Deno, Node ≥ 22) has this shape,
 * and so has better-sqlite3.
 */
export interface SqliteDatabase {
  /** Runs statements that give no rows. */
  exec(sql: string): unknown;
  /** Makes a statement. */
  prepare(sql: string): SqliteStatement;
  /** Closes the file. */
  close(): unknown;
}
