import { setImmediate } from "node:timers";
import { TaskcastError } from "@taskcast/core/protocol";
import type { SqliteDatabase } from "./driver.ts";

/** A write that waits for its turn. */
interface Work {
  /** Does it and tells what is to happen once it is committed. */
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
  #waiting: Work[] = [];
  #scheduled = false;
  #retryTimer?: ReturnType<typeof setTimeout>;

  constructor(database: SqliteDatabase) {
    this.#database = database;
  }

  /** Runs `write` within a transaction. What it throws is its own failure and nobody else's. */
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
    for (const work of this.#waiting) work.deadlineMs = 0;
    this.#flush();
  }

  #flush(): void {
    const works = this.#waiting;
    this.#waiting = [];
    if (works.length === 0) return;
    try {
      this.#database.exec("BEGIN IMMEDIATE");
    } catch (error) {
      this.#waitOrFail(works, error);
      return;
    }
    const done: { settle: () => void; fail: Work["fail"] }[] = [];
    for (const work of works) {
      try {
        this.#database.exec("SAVEPOINT work");
        const settle = work.run();
        this.#database.exec("RELEASE work");
        done.push({ settle, fail: work.fail });
      } catch (error) {
        work.fail(error);
        this.#undo("ROLLBACK TO work; RELEASE work");
      }
    }
    try {
      this.#database.exec("COMMIT");
    } catch (error) {
      this.#undo("ROLLBACK");
      for (const { fail } of done) fail(error);
      return;
    }
    for (const { settle } of done) settle();
  }

  /** Tries again in a moment while another process writes. */
  #waitOrFail(works: readonly Work[], error: unknown): void {
    const nowMs = Date.now();
    const patient = isLocked(error) ? works.filter(({ deadlineMs }) => deadlineMs > nowMs) : [];
    for (const work of works) if (!patient.includes(work)) work.fail(error);
    this.#waiting.unshift(...patient);
    if (patient.length === 0) return;
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = undefined;
      this.#flush();
    }, RETRY_MS);
  }

  // The transaction may be gone already: some errors end it by themselves.
  #undo(sql: string): void {
    try {
      this.#database.exec(sql);
    } catch {
      // Nothing is left to undo.
    }
  }
}

/** Whether another process has the file to itself; drivers say it in different ways. */
function isLocked(error: unknown): boolean {
  return error instanceof Error && /database is locked/i.test(error.message);
}
