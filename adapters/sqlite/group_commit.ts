import { isLocked } from "./connection/locked.ts";
import { setImmediate } from "node:timers";
import { TaskcastError } from "@taskcast/core/protocol";
import type { SqliteDatabase } from "./connection/driver.ts";
import type { FileGuard } from "./connection/file_guard.ts";
import type { FileWatch } from "./connection/file_watch.ts";

/** A waiting write. */
interface Write {
  /**
   * Runs the write and returns a function to call after the commit. May be rolled back and run
   * again.
   */
  run: () => () => void;
  fail: (error: unknown) => void;
  /** Time at which waiting for another process ends. */
  deadlineMs: number;
}

/** Milliseconds that a write waits for another process. */
const MAX_WAIT_MS = 5_000;

/** Milliseconds between attempts, in which this process does other things. */
const RETRY_MS = 10;

/** Maximum number of writes waiting for another process. */
const MAX_WAITING = 10_000;

/**
 * Runs the writes of one turn in one transaction, and so with one wait for the disk. A write
 * resolves only after the transaction is committed.
 */
export class GroupCommit {
  readonly #database: SqliteDatabase;
  readonly #watch: Pick<FileWatch, "checkForChanges" | "changed">;
  readonly #guard: Pick<FileGuard, "check">;
  #waiting: Write[] = [];
  #scheduled = false;
  #retryTimer?: ReturnType<typeof setTimeout>;

  constructor(
    database: SqliteDatabase,
    watch: Pick<FileWatch, "checkForChanges" | "changed">,
    guard: Pick<FileGuard, "check">,
  ) {
    this.#database = database;
    this.#watch = watch;
    this.#guard = guard;
  }

  /**
   * Runs `write` in a transaction. An exception fails this write only. `write` may be rolled back
   * and run again when another write fails, so it may change nothing but the database and caches
   * that the file watch resets.
   */
  write<T>(write: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#waiting.length >= MAX_WAITING) {
        throw new TaskcastError(
          "STORE_UNAVAILABLE",
          `The SQLite file is locked by another process, and ${MAX_WAITING} writes wait already`,
        );
      }
      const run = () => {
        const result = write();
        return () => resolve(result);
      };
      this.#waiting.push({ run, fail: reject, deadlineMs: Date.now() + MAX_WAIT_MS });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#scheduled || this.#retryTimer !== undefined) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#retryTimer === undefined) this.#flush();
    });
  }

  /** Runs the waiting writes, and stops waiting for other processes. */
  close(): void {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    for (const write of this.#waiting) write.deadlineMs = 0;
    this.#flush();
  }

  #flush(): void {
    const writes = this.#waiting;
    this.#waiting = [];
    if (writes.length > 0) this.#runInTransaction(writes);
  }

  /**
   * Runs writes in one transaction. If that fails, which is rare, runs each in its own, so that a
   * failure affects no other write. Savepoints would cost each write two statements and a copy of
   * each changed page, and would not help when the error has ended the transaction, as a full disk
   * does.
   */
  #runInTransaction(writes: readonly Write[]): void {
    if (!this.#begin(writes)) return;
    let settles: (() => void)[];
    try {
      this.#watch.checkForChanges();
      settles = writes.map(({ run }) => run());
      this.#database.exec("COMMIT");
    } catch (error) {
      this.#undo();
      if (writes.length === 1) writes[0]!.fail(error);
      else for (const write of writes) this.#runInTransaction([write]);
      return;
    }
    try {
      this.#guard.check(); // Only now is it certain which file was written.
    } catch (error) {
      for (const { fail } of writes) fail(error);
      return;
    }
    for (const settle of settles) settle();
  }

  /** Returns true if a transaction has begun; otherwise the writes wait or have failed. */
  #begin(writes: readonly Write[]): boolean {
    if (this.#retryTimer !== undefined) {
      this.#waiting.push(...writes); // Queues them after waiting writes of the same turn.
      return false;
    }
    try {
      this.#database.exec("BEGIN IMMEDIATE");
      return true;
    } catch (error) {
      this.#waitOrFail(writes, error);
      return false;
    }
  }

  /** Retries soon while another process writes; fails writes that waited too long. */
  #waitOrFail(writes: readonly Write[], error: unknown): void {
    const nowMs = Date.now();
    const patient = isLocked(error) ? writes.filter(({ deadlineMs }) => deadlineMs > nowMs) : [];
    for (const write of writes) if (!patient.includes(write)) write.fail(error);
    if (patient.length === 0) return;
    this.#waiting.push(...patient);
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = undefined;
      this.#flush();
    }, RETRY_MS);
  }

  #undo(): void {
    this.#watch.changed();
    try {
      this.#database.exec("ROLLBACK");
    } catch {
      // The error has already ended the transaction.
    }
  }
}
