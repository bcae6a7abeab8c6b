import type { Connections } from "./connect.ts";
import type { Verdict } from "./errors.ts";
import { late } from "./errors.ts";
import type { Session } from "./transaction.ts";
import { UsedConnections } from "./used_connections.ts";

/** Requests in a row that get no answer before the connections are taken for dead. */
const SILENT_IN_A_ROW = 2;

/** A single connection is taken for dead when it owes an answer for so many times the limit. */
const OWING_LIMITS = 3;

/** Milliseconds until connections are replaced once more; twice as long each time, up to a bound. */
const PAUSE_MS = 5_000;
const MAX_PAUSE_MS = 160_000;

/** Milliseconds until connections that answer, but with nothing of use, are replaced once more. */
const LEAVE_MS = 1_000;

/**
 * The connections for statements. A network that drops packets leaves connections that neither
 * answer nor break; when that is so, all are replaced, since new ones may well work. So are those that
 * answer and are of no use, such as connections that only read.
 */
export class Pool {
  readonly #make: () => Connections;
  readonly #onRenew = new Set<() => void>();
  readonly #retired = new Set<Promise<void>>();
  /** When requests began whose time is over and that are still owed an answer. */
  readonly #owed = new Set<{ sinceMs: number }>();
  #current: UsedConnections;
  #silent = 0;
  #pauseMs = PAUSE_MS;
  #renewableMs = 0;
  #leavableMs = 0;
  #closed = false;
  /** `undefined`: until something speaks against it. */
  readonly #prepare: boolean | undefined;
  #prepares: boolean;

  /**
   * @param prepare Prepares statements under names. Left out: as long as nothing speaks
   *   against it.
   */
  constructor(make: () => Connections, prepare?: boolean) {
    this.#make = make;
    this.#prepare = prepare;
    this.#prepares = prepare ?? true;
    this.#current = new UsedConnections(make());
  }

  /** Where statements are to be run now, and how. */
  get session(): Session {
    return { sql: this.#current.sql, prepares: this.#prepares };
  }

  /** Does work on a session that lasts as long as the work takes, within reason. */
  async use<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const { session } = this;
    return await this.#current.use(() => work(session));
  }

  /**
   * Waits for work on the connections, for so long at most.
   *
   * @param work Also told whether its time is over, so that it need not begin what nobody waits for.
   * @throws {TaskcastError} `STORE_UNAVAILABLE` when the time is over; the work may go on.
   */
  async within<T>(
    timeoutMs: number,
    work: (isOver: () => boolean) => Promise<T>,
  ): Promise<T> {
    const connections = this.#current;
    const request = { sinceMs: performance.now() };
    const settled = () => {
      this.#owed.delete(request);
      if (connections === this.#current) this.#heard();
    };
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isOver = false;
    const overdue = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        isOver = true;
        reject(late(timeoutMs));
        if (connections !== this.#current) return;
        this.#owed.add(request);
        this.#silent++;
        const [oldest] = this.#owed;
        const owesLong = performance.now() - oldest!.sinceMs > OWING_LIMITS * timeoutMs;
        if (this.#silent >= SILENT_IN_A_ROW || owesLong) this.renew();
      }, timeoutMs);
    });
    const answer = work(() => isOver);
    answer.then(settled, settled);
    try {
      return await Promise.race([answer, overdue]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Replaces all connections, unless that was done a moment ago. */
  renew(): void {
    const nowMs = performance.now();
    if (this.#closed || nowMs < this.#renewableMs) return;
    // PostgreSQL keeps what is left of a connection while its statement waits, say for a lock, so
    // they must not become many.
    this.#renewableMs = nowMs + this.#pauseMs;
    this.#pauseMs = Math.min(2 * this.#pauseMs, MAX_PAUSE_MS);
    this.#replace((old) => old.destroy());
    for (const listener of this.#onRenew) listener();
  }

  /**
   * Does what an error says is to become of the session that it came from.
   *
   * @returns Whether the work was not done, and may well be in another session, or in another way.
   */
  judge({ sql, prepares }: Session, verdict: Verdict): boolean {
    if (verdict === "stop preparing") {
      this.stopPreparing();
      return prepares && !this.#prepares;
    }
    if (verdict === "keep") return false;
    if (sql === this.#current.sql && !this.#leave()) return false;
    return verdict === "replace";
  }

  /** Prepares no statements from now on, unless that was asked for. */
  stopPreparing(): void {
    this.#prepares = this.#prepare ?? false;
  }

  /** Replaces all connections, unless that was done a moment ago; lets what is under way end. */
  #leave(): boolean {
    const nowMs = performance.now();
    if (this.#closed || nowMs < this.#leavableMs) return false;
    this.#leavableMs = nowMs + LEAVE_MS;
    this.#replace((old) => old.close());
    return true;
  }

  #replace(end: (old: UsedConnections) => Promise<void>): void {
    const old = this.#current;
    this.#current = new UsedConnections(this.#make());
    this.#owed.clear();
    this.#silent = 0;
    const ended: Promise<void> = end(old).finally(() => this.#retired.delete(ended));
    this.#retired.add(ended);
  }

  /** Calls back whenever the connections have been replaced. */
  onRenew(listener: () => void): void {
    this.#onRenew.add(listener);
  }

  /** Lets what is under way end, and closes everything. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([this.#current.close(), ...this.#retired]);
  }

  /** Closes everything at once. */
  async destroy(): Promise<void> {
    this.#closed = true;
    await Promise.all([this.#current.destroy(), ...this.#retired]);
  }

  #heard(): void {
    this.#silent = 0;
    this.#pauseMs = PAUSE_MS;
  }
}
