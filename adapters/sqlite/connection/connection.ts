import { resolve } from "node:path";
import { TaskcastError } from "@taskcast/core/protocol";
import type { SqliteDatabase } from "./driver.ts";
import { FileGuard } from "./file_guard.ts";
import { FileWatch } from "./file_watch.ts";
import { GroupCommit } from "../group_commit.ts";

/** Milliseconds between looks at the file when it is only read. */
const LOOK_MS = 1_000;

/** One open file, for all stores in it. */
export class Connection {
  readonly database: SqliteDatabase;
  /** Tells when what was known of the file may not be so any more. */
  readonly watch: FileWatch;
  /** It is a file, and not only in the memory of this process. */
  readonly isFile: boolean;
  readonly #writes: GroupCommit;
  readonly #guard: FileGuard;
  #nextLookMs = 0;
  #users = 0;
  #closed = false;

  /** @param path What the file was opened by, if that is known: it may be a link. */
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
    this.#guard.recheck();
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
    const nowMs = performance.now();
    if (nowMs >= this.#nextLookMs) {
      this.assertThere();
      this.#nextLookMs = nowMs + LOOK_MS;
    }
    return await Promise.resolve(this.#readNow(read));
  }

  /**
   * Requires that the file still has its name. When it has not, reads are refused, too, until it has.
   *
   * @throws {TaskcastError} `STORE_UNAVAILABLE` if it was removed or replaced.
   */
  assertThere(): void {
    this.#nextLookMs = 0;
    this.#guard.lookClosely();
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
