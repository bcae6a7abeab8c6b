import { TaskcastError } from "@taskcast/core/protocol";
import type { SqliteDatabase } from "./driver.ts";
import { FileWatch } from "./file_watch.ts";
import { GroupCommit } from "./group_commit.ts";

/** One open file, for all stores in it. */
export class Connection {
  readonly database: SqliteDatabase;
  /** Tells when what was known of the file may not be so any more. */
  readonly watch: FileWatch;
  /** It is a file, and not only in the memory of this process. */
  readonly isFile: boolean;
  readonly #writes: GroupCommit;
  #users = 0;
  #closed = false;

  constructor(database: SqliteDatabase) {
    this.database = database;
    this.watch = new FileWatch(database);
    const main = database.prepare("PRAGMA database_list").get() as { file: string };
    this.isFile = main.file !== "";
    this.#writes = new GroupCommit(database, this.watch);
  }

  /** A store uses the file. It is closed when all that use it gave it up. */
  use(): void {
    this.#users++;
  }

  /** A store gave the file up, which it may never have used. */
  release(used: boolean): void {
    if (used) this.#users--;
    if (this.#users > 0 || this.#closed) return;
    this.#writes.close();
    this.#closed = true;
    this.database.close();
  }

  /** Runs `write` within a transaction that it shares with other writes of this turn. */
  async write<T>(write: () => T): Promise<T> {
    this.#assertOpen();
    try {
      return await this.#writes.write(write);
    } catch (error) {
      throw unavailable(error);
    }
  }

  // Within a transaction, since another process may write between two statements; and in one turn,
  // since writes of this process use the same connection.
  /** Runs `read` so that what it says is of one moment. */
  async read<T>(read: () => T): Promise<T> {
    this.#assertOpen();
    return await Promise.resolve(this.#readNow(read));
  }

  #readNow<T>(read: () => T): T {
    try {
      this.database.exec("BEGIN");
      try {
        return read();
      } finally {
        this.database.exec("COMMIT");
      }
    } catch (error) {
      throw unavailable(error);
    }
  }

  #assertOpen(): void {
    if (this.#closed) throw new TaskcastError("STORE_UNAVAILABLE", "The SQLite file is closed");
  }
}

function unavailable(error: unknown): TaskcastError {
  if (error instanceof TaskcastError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const isFull = /disk is full/i.test(message);
  return isFull
    ? new TaskcastError("STORE_FULL", "The disk of the SQLite file is full", { cause: error })
    : new TaskcastError("STORE_UNAVAILABLE", "The SQLite file cannot be used", { cause: error });
}
