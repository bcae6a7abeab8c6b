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
    /** The file, made when it is missing; `:memory:` is none. */
    path: string;
    /**
     * `full`: what was acknowledged survives a loss of power. `normal`: it survives the end of the
     * process, and costs no wait for the disk. @default {"full"}
     */
    synchronous?: "full" | "normal";
  }
  | {
    /**
     * A database of `node:sqlite` or better-sqlite3; closed with the stores. It cannot be given
     * twice, since the stores remember what they wrote and notice only what comes over other
     * connections.
     */
    database: SqliteDatabase;
    /** @default {"full"} */
    synchronous?: "full" | "normal";
  };

/** Adapters of an engine on one file. */
export interface SqliteAdapters {
  /** Wake-ups within this process, and within a moment of what others write. */
  broadcast: BroadcastProvider;
  /** Tasks and logs in the file. */
  shortTerm: ShortTermStore;
  /**
   * The archive, in tables of its own. Not needed beside `shortTerm`, which keeps tasks until they
   * are deleted; it is for engines whose short-term store is another one, such as memory.
   */
  longTerm: LongTermStore;
}

/** Databases that have stores. */
const inUse = new WeakSet<SqliteDatabase>();

/** Milliseconds that the start waits for another process, standing still. */
const OPEN_BUSY_MS = 5_000;

/** And a write, before it lets this process do other things and tries again. */
const BUSY_MS = 5;

/**
 * Opens a SQLite file as a store, and brings its tables up to date.
 *
 * Several processes of one machine may use one file; each hears of what the others write within a
 * moment.
 *
 * @throws {Error} If the file cannot be opened, a newer version wrote it, or the database has stores
 * already.
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
