import { TaskcastError } from "@taskcast/core/protocol";
import type postgres from "postgres";
import type { Run, Value } from "./transaction.ts";
import { inTransaction, runOn } from "./transaction.ts";

export type { Run, Value } from "./transaction.ts";

/** PostgreSQL wants the transaction to be done again: deadlock, serialization failure. */
const AGAIN = new Set(["40P01", "40001"]);
const MAX_ATTEMPTS = 5;

/** The tables with one prefix in one database: `{events}` in a text is the table `events`. */
export class Database {
  readonly prefix: string;
  readonly #sql: postgres.Sql;
  readonly #timeoutMs: number;
  readonly #maxPending: number;
  #pending = 0;

  constructor(
    sql: postgres.Sql,
    { prefix, timeoutMs, maxPending }: { prefix: string; timeoutMs: number; maxPending: number },
  ) {
    this.#sql = sql;
    this.prefix = prefix;
    this.#timeoutMs = timeoutMs;
    this.#maxPending = maxPending;
  }

  /** Runs a statement by itself: what it says is of one moment. */
  async run<Row extends object>(text: string, ...values: Value[]): Promise<Row[]> {
    return await this.#inTime(() => runOn<Row>(this.#sql, this.#named(text), values));
  }

  /**
   * Runs statements as one transaction; those that are given at once travel together.
   *
   * Never repeated once it may have been committed.
   */
  async transaction<T>(work: (run: Run) => Promise<T>): Promise<T> {
    return await this.#inTime(async () => {
      for (let attempt = 1;; attempt++) {
        try {
          return await inTransaction(
            this.#sql,
            (run) => work((text, ...values) => run(this.#named(text), ...values)),
          );
        } catch (error) {
          if (!AGAIN.has((error as { code?: string }).code ?? "") || attempt === MAX_ATTEMPTS) {
            throw error;
          }
        }
      }
    });
  }

  #named(text: string): string {
    return text.replace(/\{([a-z_]+)\}/g, `${this.prefix}$1`);
  }

  async #inTime<T>(work: () => Promise<T>): Promise<T> {
    if (this.#pending >= this.#maxPending) {
      throw unavailable(`${this.#maxPending} requests wait for it already`);
    }
    this.#pending++;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      const error = () => unavailable(`no answer within ${this.#timeoutMs} ms`);
      timer = setTimeout(() => reject(error()), this.#timeoutMs);
    });
    try {
      return await Promise.race([work(), late]);
    } catch (error) {
      throw worded(error);
    } finally {
      clearTimeout(timer);
      this.#pending--;
    }
  }
}

function worded(error: unknown): TaskcastError {
  if (error instanceof TaskcastError) return error;
  const { code = "" } = error as { code?: string };
  // https://www.postgresql.org/docs/current/errcodes-appendix.html
  if (code === "53100") {
    return new TaskcastError("STORE_FULL", "The disk of PostgreSQL is full", { cause: error });
  }
  return unavailable(`it answered with an error, or not at all${code && ` (${code})`}`, error);
}

function unavailable(why: string, cause?: unknown): TaskcastError {
  return new TaskcastError("STORE_UNAVAILABLE", `PostgreSQL cannot be used: ${why}`, { cause });
}
