import { isEndOfSession, late, tooMany, verdictOf, worded } from "./errors.ts";
import type { Pool } from "./pool.ts";
import type { Run, Session } from "./transaction.ts";
import type { Value } from "./literals.ts";
import { inTransaction, runOn } from "./transaction.ts";

export type { Run } from "./transaction.ts";
export type { Value } from "./literals.ts";

/** PostgreSQL wants the transaction to be done again: deadlock, serialization failure. */
const AGAIN = new Set(["40P01", "40001"]);
const MAX_ATTEMPTS = 5;

/** Work on a session. It gets a function that returns true when its time is over. */
type Work<T> = (session: Session, isOver: () => boolean) => Promise<T>;

/** How often work may be done again, and after which errors besides those that say it was not done. */
interface Repetition {
  repeats: number;
  isRepeatable: (error: unknown) => boolean;
}

/** For what may write. */
const ONLY_UNDONE: Repetition = { repeats: 1, isRepeatable: () => false };

/** The tables with one prefix in one database: `{events}` in a text is the table `events`. */
export class Database {
  readonly prefix: string;
  /** Milliseconds that an answer may take. */
  readonly timeoutMs: number;
  /** Requests that may wait for answers before more are refused. */
  readonly maxPending: number;
  readonly #pool: Pool;
  /** Sessions that there are at once. */
  readonly #maxConnections: number;
  readonly #setLimits: string;
  #pending = 0;

  constructor(
    pool: Pool,
    { prefix, timeoutMs, maxPending, maxConnections }: {
      prefix: string;
      timeoutMs: number;
      maxPending: number;
      maxConnections: number;
    },
  ) {
    this.#pool = pool;
    this.#maxConnections = maxConnections;
    this.prefix = prefix;
    this.timeoutMs = timeoutMs;
    this.maxPending = maxPending;
    // What was given up here must end there as well, or it keeps its locks: when it waits for
    // others, when PostgreSQL was frozen, when the connection went silent in between.
    const limit = Math.ceil(2 * timeoutMs);
    this.#setLimits = `SET LOCAL statement_timeout = ${limit}; ` +
      `SET LOCAL idle_in_transaction_session_timeout = ${limit}; `;
  }

  /**
   * Runs a statement that only reads, by itself: what it says is of one moment.
   *
   * Repeated on another session when its session ends before it answers, which a server does to all
   * of them at once. Each repetition finds one that was ended, so after as many as there can be the
   * next one is new.
   */
  async read<Row extends object>(text: string, ...values: Value[]): Promise<Row[]> {
    return await this.#inTime((session) => runOn<Row>(session, this.#named(text), values), {
      repeats: this.#maxConnections,
      isRepeatable: isEndOfSession,
    });
  }

  /** Runs a statement that writes, by itself. Never repeated once it may have been carried out. */
  async run<Row extends object>(text: string, ...values: Value[]): Promise<Row[]> {
    return await this.#inTime((session) => runOn<Row>(session, this.#named(text), values));
  }

  /**
   * Runs statements as one transaction; those that are given at once travel together.
   *
   * Never repeated once it may have been committed.
   *
   * @param isWanted Asked when there is a connection and before anything is done on it.
   */
  async transaction<T>(
    work: (run: Run) => Promise<T>,
    isWanted: () => boolean = () => true,
  ): Promise<T> {
    return await this.#inTime(async (session, isOver) => {
      for (let attempt = 1;; attempt++) {
        try {
          return await inTransaction(session, async (run) => {
            // It had to wait for a connection for so long that who asked has been told so.
            if (isOver() || !isWanted()) throw late(this.timeoutMs);
            return await work((text, ...values) => run(this.#named(text), ...values));
          }, this.#setLimits);
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

  async #inTime<T>(work: Work<T>, repetition?: Repetition): Promise<T> {
    if (this.#pending >= this.maxPending) throw tooMany(this.maxPending);
    this.#pending++;
    try {
      return await this.#pool.within(this.timeoutMs, async (isOver) => {
        try {
          return await this.#onGoodSession(work, isOver, repetition);
        } finally {
          // Only now, and not when its time is over: until then it is kept somewhere.
          this.#pending--;
        }
      });
    } catch (error) {
      throw worded(error);
    }
  }

  /** Works once more, on another session or in another way, where that is worth it. */
  async #onGoodSession<T>(
    work: Work<T>,
    isOver: () => boolean,
    { repeats, isRepeatable }: Repetition = ONLY_UNDONE,
  ): Promise<T> {
    for (let repeated = 0;; repeated++) {
      let used: Session | undefined;
      try {
        return await this.#pool.use((session) => work(used = session, isOver));
      } catch (error) {
        const isUndone = this.#pool.judge(used!, verdictOf(error));
        const isWorthIt = isUndone || isRepeatable(error);
        if (!isWorthIt || repeated === repeats || isOver()) throw error;
      }
    }
  }
}
