import { inTime } from "@taskcast/core/adapter";
import type { Connections } from "./connect.ts";
import type { Verdict } from "./errors.ts";
import { late } from "./errors.ts";
import type { Session } from "./transaction.ts";
import { UsedConnections } from "./used_connections.ts";

/** Unanswered requests in a row after which the connections are considered dead. */
const SILENT_IN_A_ROW = 2;

/**
 * Multiples of the time limit after which a connection with an outstanding reply is considered
 * dead.
 */
const OWING_LIMITS = 3;

/** Milliseconds before connections are replaced again; doubles each time, up to a limit. */
const PAUSE_MS = 5_000;
const MAX_PAUSE_MS = 160_000;

/** Milliseconds before connections that reply but are useless are replaced again. */
const LEAVE_MS = 1_000;

/**
 * The connections for statements. A network that drops packets leaves connections that neither
 * reply nor break; then all are replaced, since new ones may work. So are connections that reply
 * but are useless, such as read-only ones.
 */
export class Pool {
  readonly #make: () => Connections;
  readonly #onRenew = new Set<() => void>();
  readonly #retired = new Set<Promise<void>>();
  /** Timed-out requests that are still owed a reply. */
  readonly #owed = new Set<{ sinceMs: number }>();
  #current: UsedConnections;
  #silent = 0;
  #pauseMs = PAUSE_MS;
  #renewableMs = 0;
  #leavableMs = 0;
  #closed = false;
  /** `undefined`: prepares statements until something speaks against it. */
  readonly #prepare: boolean | undefined;
  #prepares: boolean;

  /**
   * @param prepare Prepares statements under names. If left out, prepares as long as nothing speaks
   *   against it.
   */
  constructor(make: () => Connections, prepare?: boolean) {
    this.#make = make;
    this.#prepare = prepare;
    this.#prepares = prepare ?? true;
    this.#current = new UsedConnections(make());
  }

  /** The current session. */
  get session(): Session {
    return { sql: this.#current.sql, prepares: this.#prepares };
  }

  /** Runs work on a session that stays open while the work runs, within limits. */
  async use<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const { session } = this;
    return await this.#current.use(() => work(session));
  }

  /**
   * Runs work on the connections with a time limit.
   *
   * @param work Gets a function that returns whether its time is over, so that it need not start in
   *   vain.
   * @throws {TaskcastError} `STORE_UNAVAILABLE` when the time is over; the work may continue.
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
    let isOver = false;
    const answer = work(() => isOver);
    answer.then(settled, settled);
    return await inTime(answer, timeoutMs, () => {
      isOver = true;
      if (connections === this.#current) this.#owe(request, timeoutMs);
      return late(timeoutMs);
    });
  }

  /** Notes that the current connections did not answer a request, and replaces them if they are dead. */
  #owe(request: { sinceMs: number }, timeoutMs: number): void {
    this.#owed.add(request);
    this.#silent++;
    const [oldest] = this.#owed;
    const owesLong = performance.now() - oldest!.sinceMs > OWING_LIMITS * timeoutMs;
    if (this.#silent >= SILENT_IN_A_ROW || owesLong) this.renew();
  }

  /** Replaces all connections, unless that was done recently. */
  renew(): void {
    const nowMs = performance.now();
    if (this.#closed || nowMs < this.#renewableMs) return;
    // PostgreSQL keeps the remains of a connection while its statement waits, e.g. for a lock, so
    // there must not be many.
    this.#renewableMs = nowMs + this.#pauseMs;
    this.#pauseMs = Math.min(2 * this.#pauseMs, MAX_PAUSE_MS);
    this.#replace((old) => old.destroy());
    for (const listener of this.#onRenew) listener();
  }

  /**
   * Applies a verdict to the session that it is about.
   *
   * @returns Whether the work was not done and may succeed on another session or in another way.
   */
  applyVerdict({ sql, prepares }: Session, verdict: Verdict): boolean {
    if (verdict === "stop preparing") {
      this.stopPreparing();
      return prepares && !this.#prepares;
    }
    if (verdict === "keep") return false;
    if (sql === this.#current.sql && !this.#leave()) return false;
    return verdict === "replace";
  }

  /** Stops preparing statements, unless preparing was requested. */
  stopPreparing(): void {
    this.#prepares = this.#prepare ?? false;
  }

  /** Replaces all connections, unless that was done recently; pending work may finish. */
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

  /** Adds a listener for replaced connections. */
  onRenew(listener: () => void): void {
    this.#onRenew.add(listener);
  }

  /** Lets pending work finish, then closes everything. */
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
