import { DatabaseSync } from "node:sqlite";
import type { BroadcastProvider, ShortTermStore } from "@taskcast/core";
import { MemoryBroadcastProvider } from "@taskcast/core";
import type { SqliteDatabase } from "./driver.ts";
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
    /** A database of `node:sqlite` or better-sqlite3; closed with the store. */
    database: SqliteDatabase;
    /** @default {"full"} */
    synchronous?: "full" | "normal";
  };

/** What an engine on one file is made of. */
export interface SqliteAdapters {
  /** Wake-ups within this process. */
  broadcast: BroadcastProvider;
  /** Tasks and logs in the file. */
  shortTerm: ShortTermStore;
}

/** Milliseconds that a write waits for another process. */
const BUSY_MS = 5_000;

/**
 * Opens a SQLite file as a store, and brings its tables up to date.
 *
 * Several processes may use one file; each hears of what the others write at its next poll.
 *
 * @throws {Error} If the file cannot be opened, or a newer version wrote it.
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
  const database = "database" in options ? options.database : new DatabaseSync(options.path);
  try {
    database.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
    database.exec("PRAGMA journal_mode = WAL");
    database.exec(`PRAGMA synchronous = ${options.synchronous === "normal" ? "NORMAL" : "FULL"}`);
    migrate(database);
  } catch (error) {
    database.close();
    throw error;
  }
  return {
    broadcast: new MemoryBroadcastProvider(),
    shortTerm: new SqliteShortTermStore(database),
  };
}
