import type { DueKind } from "../contracts/records.ts";
import type { EngineContext } from "./context.ts";
import type { Round } from "./job.ts";
import { Job } from "./job.ts";

/** Does the work whose time has come: must be harmless when it was done already. */
export type Settle = (kind: DueKind, taskId: string) => Promise<void>;

/**
 * Finds due work in the store and has it done.
 *
 * Every instance looks, and what each does is settled by a commit that one of them wins. A timer
 * runs only while something is known to be due or others may leave work in the store.
 */
export class Scheduler {
  readonly #context: EngineContext;
  readonly #settle: Settle;
  readonly #job: Job;
  /** When the oldest work was due that was found and is not done yet. */
  #oldestAtMs?: number;

  constructor(context: EngineContext, settle: Settle) {
    this.#context = context;
    this.#settle = settle;
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
    const { store, clock, options } = this.#context;
    const { entries, nextAtMs } = await store.due(clock.now(), options.sweepLimit);
    this.#oldestAtMs = entries[0]?.atMs;
    let failed = false;
    for (const { kind, taskId } of entries) {
      try {
        await this.#settle(kind, taskId);
      } catch (error) {
        failed = true;
        this.#context.report(error, { operation: `scheduler ${kind}`, taskId });
      }
    }
    if (!failed) this.#oldestAtMs = undefined;
    // What failed is still due; looking again at once would only fail again.
    if (failed) return { again: false, nextAtMs: clock.now() + RETRY_MS };
    return { again: entries.length === options.sweepLimit, nextAtMs };
  }
}

const RETRY_MS = 1_000;
