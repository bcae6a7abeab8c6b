import type { DueKind } from "../contracts/records.ts";
import { DUE_KINDS } from "../contracts/records.ts";
import type { DueWork } from "../contracts/short_term_store.ts";
import type { EngineContext } from "../context/context.ts";
import { areUsable } from "./each_alone.ts";
import type { Round } from "./job.ts";
import { Job } from "./job.ts";
import { SetAside } from "./set_aside.ts";

/** Due work that was found. */
export interface FoundWork {
  kind: DueKind;
  taskId: string;
  /** The time at which it became due. */
  atMs: number;
  /** Milliseconds for which this instance has been running and has reached the store. */
  steadyMs: number;
}

/** Does due work. Must be idempotent. */
export type DoDueWork = (found: FoundWork) => Promise<void>;

/**
 * Finds due work in the store, and does it.
 *
 * Every instance searches. The work is a commit, so exactly one instance wins. A timer runs only while
 * something is known to be due, or while other instances may leave work in the store.
 */
export class Deadlines {
  readonly #context: EngineContext;
  readonly #doDueWork: DoDueWork;
  readonly #job: Job;
  /** Tasks whose due work fails while that of others succeeds. */
  readonly setAside: SetAside;
  /** The due time of the oldest work that was found and has not been done. */
  #oldestAtMs?: number;
  /**
   * The time since which searches have been on time and have reached the store. Before it, renewals of
   * leases may have been impossible.
   */
  #steadySinceMs?: number;
  /** The time for which the next search is scheduled, as far as known. */
  #expectedAtMs = Infinity;

  constructor(context: EngineContext, doDueWork: DoDueWork) {
    this.#context = context;
    this.#doDueWork = doDueWork;
    this.setAside = new SetAside(context, "due");
    this.#steadySinceMs = context.clock.now();
    this.#job = new Job(context, { operation: "scheduler", round: () => this.#round() });
  }

  /** Milliseconds by which the oldest known due work is late. */
  get lagMs(): number {
    return this.#oldestAtMs === undefined
      ? 0
      : Math.max(0, this.#context.clock.now() - this.#oldestAtMs);
  }

  /** Searches the store now, which also finds work of an earlier process, and then as needed. */
  start(): void {
    void this.sweep();
  }

  /** Schedules a search at a time when something will be due. */
  expect(atMs: number): void {
    this.#job.expect(atMs);
  }

  /** Does everything that is due now. Resolves when it is done. */
  sweep(): Promise<void> {
    return this.#job.run();
  }

  /** Stops. Resolves once the work in progress has ended. */
  async close(): Promise<void> {
    await this.#job.close();
  }

  async #round(): Promise<Round> {
    const round = await this.#work();
    const { clock, options: { sweepMs } } = this.#context;
    const sweepAtMs = sweepMs > 0 ? clock.now() + sweepMs : Infinity;
    this.#expectedAtMs = Math.min(sweepAtMs, round.nextAtMs ?? Infinity);
    return round;
  }

  async #search(nowMs: number, limit: number): Promise<DueWork> {
    const { store, clock } = this.#context;
    try {
      const found = await store.due(nowMs, limit);
      this.#steadySinceMs ??= clock.now();
      return found;
    } catch (error) {
      this.#steadySinceMs = undefined;
      throw error;
    }
  }

  async #work(): Promise<Round> {
    const { store, clock, options: { sweepLimit } } = this.#context;
    // Tasks that are set aside stay due, and must not crowd out others.
    const limit = sweepLimit + this.setAside.size * DUE_KINDS.length;
    const startMs = clock.now();
    // The process was frozen, or the machine asleep.
    if (startMs > this.#expectedAtMs + MAX_LATE_MS) this.#steadySinceMs = startMs;
    const { entries, nextAtMs = Infinity } = await this.#search(startMs, limit);
    const open = entries
      .filter(({ taskId }) => !this.setAside.isWaiting(taskId))
      .slice(0, sweepLimit);
    this.#oldestAtMs = open[0]?.atMs;
    const failures: { kind: DueKind; taskId: string; error: unknown }[] = [];
    for (const { kind, taskId, atMs } of open) {
      try {
        const steadyMs = clock.now() - this.#steadySinceMs!;
        await this.#doDueWork({ kind, taskId, atMs, steadyMs });
        this.setAside.succeeded(taskId);
      } catch (error) {
        failures.push({ kind, taskId, error });
      }
    }
    if (failures.length > 0 && failures.length === open.length && !await areUsable(clock, store)) {
      for (const { kind, taskId, error } of failures) {
        this.#context.report(error, { operation: `scheduler ${kind}`, taskId });
      }
      // The failed work is still due, and an immediate retry would probably fail again.
      return { again: false, nextAtMs: clock.now() + RETRY_MS };
    }
    const before = this.setAside.size;
    for (const { taskId, error } of failures) this.setAside.failed(taskId, error);
    this.#oldestAtMs = undefined;
    // If more tasks fail than can be set aside, a round makes no progress.
    const isFurther = failures.length < open.length || this.setAside.size > before;
    if (open.length > 0 && !isFurther) return { again: false, nextAtMs: clock.now() + RETRY_MS };
    return {
      again: open.length === sweepLimit,
      nextAtMs: Math.min(nextAtMs, this.setAside.nextAtMs),
    };
  }
}

const RETRY_MS = 1_000;

/** Milliseconds by which a search may be late on a busy machine. */
const MAX_LATE_MS = 5_000;
