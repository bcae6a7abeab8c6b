/**
 * Tasks and their logs in one SQLite file, for one machine that forgets nothing.
 *
 * @module
 */
export type { SqliteAdapterOptions, SqliteAdapters } from "./adapters.ts";
export { createSqliteAdapters } from "./adapters.ts";
export type { SqliteDatabase, SqliteRow, SqliteStatement, SqliteValue } from "./driver.ts";
export { default } from "./plugin.ts";
