import { isEndOfSession, late, tooMany, toTaskcastError, verdictOf } from "./errors.ts";
import type { Pool } from "./pool.ts";
import type { Run, Session } from "./transaction.ts";
import type { Value } from "./literals.ts";
import { inTransaction, runOn } from "./transaction.ts";

export type { Run } from "./transaction.ts";
export type { Value } from "./literals.ts";

/** Error codes that ask for a retry of the transaction: deadlock, serialization failure. */
const AGAIN = new Set(["40P01", "40001"]);
const MAX_ATTEMPTS = 5;

/** Work on a session. `isOver` returns whether its time is over. */
type Work<T> = (session: Session, isOver: () => boolean) => Promise<T>;

/**
 * How often work may be retried, and after which errors besides those that prove it was not done.
 */
interface Repetition {
  repeats: number;
  isRepeatable: (error: unknown) => boolean;
}

/** For statements that may write. */
const ONLY_UNDONE: Repetition = { repeats: 1, isRepeatable: () => false };

/** The tables with one prefix in one database: `{events}` in a statement is the table `events`. */
export class Database {
  readonly prefix: string;
  /** Milliseconds that a reply may take. */
  readonly timeoutMs: number;
  /** Maximum number of requests waiting for replies. */
  readonly maxPending: number;
  readonly #pool: Pool;
  /** Maximum number of sessions. */
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
    // Timeouts inside PostgreSQL: work abandoned here must end there as well, or it keeps its
    // locks. It may wait for locks, PostgreSQL may have been frozen, or the connection may be
    // silent.
    const limit = Math.ceil(2 * timeoutMs);
    this.#setLimits = `SET LOCAL statement_timeout = ${limit}; ` +
      `SET LOCAL idle_in_transaction_session_timeout = ${limit}; `;
  }

  /**
   * Runs a single reading statement; its result is a consistent snapshot.
   *
   * Repeats it on another session if the session ends before the reply, which a server may do to
   * all sessions at once. Each repetition may find another ended session, so after as many as there
   * can be, the next one is new.
   */
  async read<Row extends object>(text: string, ...values: Value[]): Promise<Row[]> {
    return await this.#inTime((session) => runOn<Row>(session, this.#named(text), values), {
      repeats: this.#maxConnections,
      isRepeatable: isEndOfSession,
    });
  }

  /** Runs a single writing statement. Never repeats one that may have run. */
  async run<Row extends object>(text: string, ...values: Value[]): Promise<Row[]> {
    return await this.#inTime((session) => runOn<Row>(session, this.#named(text), values));
  }

  /**
   * Runs statements as one transaction; statements issued together travel together.
   *
   * Never repeats a transaction that may have been committed.
   *
   * @param isWanted Asked once a connection is available, before anything is done on it.
   */
  async transaction<T>(
    work: (run: Run) => Promise<T>,
    isWanted: () => boolean = () => true,
  ): Promise<T> {
    return await this.#inTime(async (session, isOver) => {
      for (let attempt = 1;; attempt++) {
        try {
          return await inTransaction(session, async (run) => {
            // The wait for a connection took so long that the caller got an error.
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
          // Not when its time limit passes: until now, the work is still queued somewhere.
          this.#pending--;
        }
      });
    } catch (error) {
      throw toTaskcastError(error);
    }
  }

  /** Runs work; retries it on another session, or in another way, where that can help. */
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
        const isUndone = this.#pool.applyVerdict(used!, verdictOf(error));
        const isWorthIt = isUndone || isRepeatable(error);
        if (!isWorthIt || repeated === repeats || isOver()) throw error;
      }
    }
  }
}
