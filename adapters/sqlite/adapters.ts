import type { BroadcastProvider, LongTermStore, ShortTermStore } from "@taskcast/core/adapter";
import { SqliteBroadcast } from "./broadcast.ts";
import { Connection } from "./connection/connection.ts";
import type { SqliteDatabase } from "./connection/driver.ts";
import { openingError } from "./connection/locked.ts";
import { SqliteLongTermStore } from "./long_term_store.ts";
import { openFile } from "./connection/open_file.ts";
import { migrate } from "./schema.ts";
import { SqliteShortTermStore } from "./short_term_store.ts";

/** Options for {@linkcode createSqliteAdapters}: a path, or a database that is open already. */
export type SqliteAdapterOptions =
  | {
    /** Path of the file, which is created if missing; `:memory:` for none. */
    path: string;
    /**
     * `full`: acknowledged writes survive a power failure. `normal`: they survive the end of the
     * process, without a wait for the disk. @default {"full"}
     */
    synchronous?: "full" | "normal";
  }
  | {
    /**
     * A database of `node:sqlite` or better-sqlite3; closed with the stores. It serves one call
     * only, because the stores cache what they wrote and notice only changes of other connections.
     */
    database: SqliteDatabase;
    /** @default {"full"} */
    synchronous?: "full" | "normal";
  };

/** Adapters of an engine on one file. */
export interface SqliteAdapters {
  /** Wake-ups within this process at once, and of other processes' writes within a moment. */
  broadcast: BroadcastProvider;
  /** Tasks and logs in the file. */
  shortTerm: ShortTermStore;
  /**
   * The archive, in tables of its own. Not needed beside `shortTerm`, which keeps tasks until they
   * are deleted; it serves engines with another short-term store, such as memory.
   */
  longTerm: LongTermStore;
}

/** Databases that have stores. */
const inUse = new WeakSet<SqliteDatabase>();

/** Milliseconds that opening blocks while another process has the file. */
const OPEN_BUSY_MS = 5_000;

/** Milliseconds that a write blocks before this process does other things and retries. */
const BUSY_MS = 5;

/**
 * Opens a SQLite file as a store, and brings its tables up to date.
 *
 * Several processes of one machine may use one file; each notices writes of the others within a
 * moment.
 *
 * @throws {Error} If the file cannot be opened, a newer version wrote it, or the database already
 *   has stores.
 *
 * @example
 * ```ts
 * import { TaskEngine } from "@taskcast/core";
 * import { createSqliteAdapters } from "@taskcast/sqlite";
 * import assert from "node:assert/strict";
 *
 * const { broadcast, shortTerm } = createSqliteAdapters({ path: ":memory:" });
 * const engine = new TaskEngine({ broadcast, shortTermStore: shortTerm });
 * const task = await engine.createTask({ type: "import" });
 * assert.equal((await engine.getTask(task.id))?.status, "pending");
 * await engine.close();
 * await shortTerm.close();
 * ```
 */
export function createSqliteAdapters(options: SqliteAdapterOptions): SqliteAdapters {
  const database = "database" in options ? options.database : openFile(options.path);
  if (inUse.has(database)) throw new Error("The database has stores already: use those");
  try {
    database.exec(`PRAGMA busy_timeout = ${OPEN_BUSY_MS}`);
    database.exec("PRAGMA journal_mode = WAL");
    database.exec(`PRAGMA synchronous = ${options.synchronous === "normal" ? "NORMAL" : "FULL"}`);
    migrate(database);
    database.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
  } catch (error) {
    database.close();
    throw openingError(error);
  }
  inUse.add(database);
  const connection = new Connection(database, "path" in options ? options.path : undefined);
  return {
    broadcast: new SqliteBroadcast(database),
    shortTerm: new SqliteShortTermStore(connection),
    longTerm: new SqliteLongTermStore(connection),
  };
}
