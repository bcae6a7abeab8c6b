/** A value as it is bound or read. */
export type SqliteValue = string | number | null;

/** A row as it is read. */
export type SqliteRow = Record<string, unknown>;

/** A statement that can be run many times. */
export interface SqliteStatement {
  run(...values: SqliteValue[]): unknown;
  get(...values: SqliteValue[]): unknown;
  all(...values: SqliteValue[]): unknown[];
}

/**
 * As much of a driver as is needed: `DatabaseSync` of `node:sqlite` (Deno, Node ≥ 22) has this shape,
 * and so has better-sqlite3.
 */
export interface SqliteDatabase {
  exec(sql: string): unknown;
  prepare(sql: string): SqliteStatement;
  close(): unknown;
}
