import { isLocked } from "./connection/locked.ts";
import { setImmediate } from "node:timers";
import { TaskcastError } from "@taskcast/core/protocol";
import type { SqliteDatabase } from "./connection/driver.ts";
import type { FileGuard } from "./connection/file_guard.ts";
import type { FileWatch } from "./connection/file_watch.ts";

/** A write that waits for its turn. */
interface Work {
  /** Does it and tells what is to happen once it is committed. May be undone and called again. */
  run: () => () => void;
  fail: (error: unknown) => void;
  /** When it has waited long enough for another process. */
  deadlineMs: number;
}

/** Milliseconds that a write waits for another process. */
const MAX_WAIT_MS = 5_000;

/** Milliseconds between attempts; in between this process does other things. */
const RETRY_MS = 10;

/** Writes that may wait for another process. */
const MAX_WAITING = 10_000;

/**
 * Writes that are asked for in the same turn share one transaction, and so one wait for the disk.
 * A write is told its outcome only after the transaction is committed.
 */
export class GroupCommit {
  readonly #database: SqliteDatabase;
  readonly #watch: Pick<FileWatch, "look" | "changed">;
  readonly #guard: Pick<FileGuard, "look">;
  #waiting: Work[] = [];
  #scheduled = false;
  #retryTimer?: ReturnType<typeof setTimeout>;

  constructor(
    database: SqliteDatabase,
    watch: Pick<FileWatch, "look" | "changed">,
    guard: Pick<FileGuard, "look">,
  ) {
    this.#database = database;
    this.#watch = watch;
    this.#guard = guard;
  }

  /**
   * Runs `write` within a transaction. What it throws is its own failure and nobody else's; it must
   * change nothing but the database, and what is forgotten when the file watch tells that something
   * was undone, since it may be undone and run again when another one fails.
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

  /** Carries out what waits, and waits for nobody any more. */
  close(): void {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    for (const work of this.#waiting) work.deadlineMs = 0;
    this.#flush();
  }

  #flush(): void {
    const works = this.#waiting;
    this.#waiting = [];
    if (works.length > 0) this.#carryOut(works);
  }

  /**
   * In one transaction; and if that fails, which hardly ever happens, each in one of its own, so
   * that what fails takes nothing else with it. Savepoints would cost each write two statements and
   * a copy of each page that it changes, and be no help where the error has ended the transaction,
   * as a full disk does.
   */
  #carryOut(works: readonly Work[]): void {
    if (!this.#begin(works)) return;
    let settles: (() => void)[];
    try {
      this.#watch.look();
      settles = works.map(({ run }) => run());
      this.#database.exec("COMMIT");
    } catch (error) {
      this.#undo();
      if (works.length === 1) works[0]!.fail(error);
      else for (const work of works) this.#carryOut([work]);
      return;
    }
    try {
      this.#guard.look(); // Only now is it known where the commit went.
    } catch (error) {
      for (const { fail } of works) fail(error);
      return;
    }
    for (const settle of settles) settle();
  }

  /** Returns true if a transaction has begun; otherwise the writes wait or have failed. */
  #begin(works: readonly Work[]): boolean {
    if (this.#retryTimer !== undefined) {
      this.#waiting.push(...works); // Behind those of their turn that wait already.
      return false;
    }
    try {
      this.#database.exec("BEGIN IMMEDIATE");
      return true;
    } catch (error) {
      this.#waitOrFail(works, error);
      return false;
    }
  }

  /** Tries again in a moment while another process writes. */
  #waitOrFail(works: readonly Work[], error: unknown): void {
    const nowMs = Date.now();
    const patient = isLocked(error) ? works.filter(({ deadlineMs }) => deadlineMs > nowMs) : [];
    for (const work of works) if (!patient.includes(work)) work.fail(error);
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
      // The error has ended the transaction by itself; nothing is left to undo.
    }
  }
}
