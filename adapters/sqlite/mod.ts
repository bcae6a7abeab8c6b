/**
 * Tasks and their logs in one SQLite file: permanent storage on one machine.
 *
 * @example An engine on a file; Node 20 wants better-sqlite3 beside it
 * ```ts
 * import { TaskEngine } from "@taskcast/core";
 * import { createSqliteAdapters } from "@taskcast/sqlite";
 *
 * const { broadcast, shortTerm } = createSqliteAdapters({ path: ":memory:" }); // "./tasks.db"
 * const engine = new TaskEngine({ broadcast, shortTermStore: shortTerm });
 * await engine.createTask({ type: "import" });
 * await engine.close();
 * await Promise.all([broadcast.close(), shortTerm.close()]);
 * ```
 *
 * @module
 */
export type { SqliteAdapterOptions, SqliteAdapters } from "./adapters.ts";
export { createSqliteAdapters } from "./adapters.ts";
export type {
  SqliteDatabase,
  SqliteRow,
  SqliteStatement,
  SqliteValue,
} from "./connection/driver.ts";
export { default } from "./plugin.ts";
