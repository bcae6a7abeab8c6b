import type { DueKind } from "../contracts/records.ts";
import { DUE_KINDS } from "../contracts/records.ts";
import type { EngineContext } from "../context/context.ts";
import { areUsable } from "./each_alone.ts";
import type { Round } from "./job.ts";
import { Job } from "./job.ts";
import { SetAside } from "./set_aside.ts";

/** Does the work whose time has come: must be harmless when it was done already. */
export type Settle = (kind: DueKind, taskId: string) => Promise<void>;

/**
 * Finds due work in the store and has it done.
 *
 * Every instance looks, and what each does is settled by a commit that one of them wins. A timer
 * runs only while something is known to be due or others may leave work in the store.
 */
export class Deadlines {
  readonly #context: EngineContext;
  readonly #settle: Settle;
  readonly #job: Job;
  /** Tasks whose due work fails, while that of others is done. */
  readonly setAside: SetAside;
  /** When the oldest work was due that was found and is not done yet. */
  #oldestAtMs?: number;

  constructor(context: EngineContext, settle: Settle) {
    this.#context = context;
    this.#settle = settle;
    this.setAside = new SetAside(context, "due");
    this.#job = new Job(context, { operation: "scheduler", round: () => this.#round() });
  }

  /** Milliseconds by which the oldest work that was found and is not done yet is late. */
  get lagMs(): number {
    return this.#oldestAtMs === undefined
      ? 0
      : Math.max(0, this.#context.clock.now() - this.#oldestAtMs);
  }

  /** Looks at the store once, which also finds what an earlier process left, and then as needed. */
  start(): void {
    void this.sweep();
  }

  /** Something will be due at this time. */
  expect(atMs: number): void {
    this.#job.expect(atMs);
  }

  /** Settles everything that is due now. Resolves when it is done. */
  sweep(): Promise<void> {
    return this.#job.run();
  }

  /** Stops, when what is being done is done. */
  async close(): Promise<void> {
    await this.#job.close();
  }

  async #round(): Promise<Round> {
    const { store, clock, options: { sweepLimit } } = this.#context;
    // Those that are set aside stay due, and must not take the places of others.
    const limit = sweepLimit + this.setAside.size * DUE_KINDS.length;
    const { entries, nextAtMs = Infinity } = await store.due(clock.now(), limit);
    const open = entries
      .filter(({ taskId }) => !this.setAside.isWaiting(taskId))
      .slice(0, sweepLimit);
    this.#oldestAtMs = open[0]?.atMs;
    const failures: { kind: DueKind; taskId: string; error: unknown }[] = [];
    for (const { kind, taskId } of open) {
      try {
        await this.#settle(kind, taskId);
        this.setAside.succeeded(taskId);
      } catch (error) {
        failures.push({ kind, taskId, error });
      }
    }
    if (failures.length > 0 && failures.length === open.length && !await areUsable(clock, store)) {
      for (const { kind, taskId, error } of failures) {
        this.#context.report(error, { operation: `scheduler ${kind}`, taskId });
      }
      // What failed is still due; looking again at once would only fail again.
      return { again: false, nextAtMs: clock.now() + RETRY_MS };
    }
    const before = this.setAside.size;
    for (const { taskId, error } of failures) this.setAside.failed(taskId, error);
    this.#oldestAtMs = undefined;
    // Beyond what can be remembered, those that fail are only in each other's place.
    const isFurther = failures.length < open.length || this.setAside.size > before;
    if (open.length > 0 && !isFurther) return { again: false, nextAtMs: clock.now() + RETRY_MS };
    return {
      again: open.length === sweepLimit,
      nextAtMs: Math.min(nextAtMs, this.setAside.nextAtMs),
    };
  }
}

const RETRY_MS = 1_000;
