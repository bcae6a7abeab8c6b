import { setImmediate } from "node:timers";
import type { SqliteDatabase } from "./driver.ts";

/** A write that waits for its turn. */
interface Work {
  /** Does it and tells what is to happen once it is committed. */
  run: () => () => void;
  fail: (error: unknown) => void;
}

/**
 * Writes that are asked for in the same turn share one transaction, and so one wait for the disk.
 * A write is told its outcome only after the transaction is committed.
 */
export class GroupCommit {
  readonly #database: SqliteDatabase;
  #waiting: Work[] = [];
  #scheduled = false;

  constructor(database: SqliteDatabase) {
    this.#database = database;
  }

  /** Runs `write` within a transaction. What it throws is its own failure and nobody else's. */
  write<T>(write: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const run = () => {
        const result = write();
        return () => resolve(result);
      };
      this.#waiting.push({ run, fail: reject });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.flush();
    });
  }

  /** Carries out what waits. */
  flush(): void {
    const works = this.#waiting;
    this.#waiting = [];
    if (works.length === 0) return;
    try {
      this.#database.exec("BEGIN IMMEDIATE");
    } catch (error) {
      for (const { fail } of works) fail(error);
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

  // The transaction may be gone already: some errors end it by themselves.
  #undo(sql: string): void {
    try {
      this.#database.exec(sql);
    } catch {
      // Nothing is left to undo.
    }
  }
}
