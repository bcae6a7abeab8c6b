import { resolve } from "node:path";
import { TaskcastError } from "@taskcast/core/protocol";
import type { SqliteDatabase } from "./driver.ts";
import { FileGuard } from "./file_guard.ts";
import { FileWatch } from "./file_watch.ts";
import { GroupCommit } from "../group_commit.ts";

/** Milliseconds between file checks on reads. */
const LOOK_MS = 1_000;

/** One open file, for all stores in it. */
export class Connection {
  readonly database: SqliteDatabase;
  /** Notifies caches of changes by other connections. */
  readonly watch: FileWatch;
  /** Set for a file, as opposed to memory of this process. */
  readonly isFile: boolean;
  readonly #writes: GroupCommit;
  readonly #guard: FileGuard;
  #nextLookMs = 0;
  #users = 0;
  #closed = false;

  /** @param path The path that the file was opened by, if known; it may be a link. */
  constructor(database: SqliteDatabase, path?: string) {
    this.database = database;
    this.watch = new FileWatch(database);
    const main = database.prepare("PRAGMA database_list").get() as { file: string };
    this.isFile = main.file !== "";
    const paths = ["", "-wal", "-shm"].map((ending) => main.file + ending);
    if (path !== undefined && path !== ":memory:") paths.push(path);
    this.#guard = new FileGuard(this.isFile ? paths.map((one) => resolve(one)) : []);
    this.#writes = new GroupCommit(database, this.watch, this.#guard);
  }

  /** Registers a store. The file is closed when all stores have released it. */
  use(): void {
    this.#users++;
  }

  /** Releases the file for a store, which may never have used it. */
  release(used: boolean): void {
    if (used) this.#users--;
    if (this.#users > 0 || this.#closed) return;
    this.#writes.close();
    this.#closed = true;
    this.database.close();
  }

  /** Runs `write` in a transaction shared with other writes of this turn. */
  async write<T>(write: () => T): Promise<T> {
    this.#assertOpen();
    this.#guard.recheck();
    try {
      return await this.#writes.write(write);
    } catch (error) {
      throw unavailable(error);
    }
  }

  // Uses a transaction, because another process may write between two statements, and a single
  // turn, because writes of this process use the same connection.
  /** Runs `read` on a consistent snapshot. */
  async read<T>(read: () => T): Promise<T> {
    this.#assertOpen();
    const nowMs = performance.now();
    if (nowMs >= this.#nextLookMs) {
      this.assertThere();
      this.#nextLookMs = nowMs + LOOK_MS;
    }
    return await Promise.resolve(this.#readNow(read));
  }

  /**
   * Requires that the path still leads to the open file. Otherwise reads are refused, too, until it
   * does.
   *
   * @throws {TaskcastError} `STORE_UNAVAILABLE` if the file was removed or replaced.
   */
  assertThere(): void {
    this.#nextLookMs = 0;
    this.#guard.checkEach();
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
