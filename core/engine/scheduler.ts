import type { DueKind } from "../contracts/records.ts";
import type { EngineContext } from "./context.ts";

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
  #timer?: unknown;
  #timerAt = Infinity;
  #sweeping?: Promise<void>;
  #again = false;
  #closed = false;

  constructor(context: EngineContext, settle: Settle) {
    this.#context = context;
    this.#settle = settle;
  }

  /** Looks at the store once, which also finds what an earlier process left, and then as needed. */
  start(): void {
    void this.sweep();
  }

  /** Something will be due at this time. */
  expect(atMs: number): void {
    if (this.#closed || atMs >= this.#timerAt) return;
    const { clock } = this.#context;
    clock.clearTimeout(this.#timer);
    this.#timerAt = atMs;
    // Longer than a timer can wait: it wakes early, finds nothing, and waits again.
    const delayMs = Math.min(Math.max(0, atMs - clock.now()), MAX_TIMEOUT_MS);
    this.#timer = clock.setTimeout(() => {
      this.#timer = undefined;
      this.#timerAt = Infinity;
      void this.sweep();
    }, delayMs);
  }

  /** Settles everything that is due now. Resolves when it is done. */
  sweep(): Promise<void> {
    this.#again = true;
    this.#sweeping ??= this.#run().finally(() => this.#sweeping = undefined);
    return this.#sweeping;
  }

  /** Stops, when what is being done is done. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#context.clock.clearTimeout(this.#timer);
    await this.#sweeping;
  }

  async #run(): Promise<void> {
    const { store, clock, options } = this.#context;
    while (this.#again && !this.#closed) {
      this.#again = false;
      try {
        const { entries, nextAtMs } = await store.due(clock.now(), options.sweepLimit);
        let failed = 0;
        for (const { kind, taskId } of entries) {
          try {
            await this.#settle(kind, taskId);
          } catch (error) {
            failed++;
            this.#context.report(error, { operation: `scheduler ${kind}`, taskId });
          }
        }
        // What failed is still due; looking again at once would only fail again.
        if (failed > 0) this.expect(clock.now() + RETRY_MS);
        else if (entries.length === options.sweepLimit) this.#again = true;
        if (nextAtMs !== undefined) this.expect(nextAtMs);
      } catch (error) {
        this.#context.report(error, { operation: "scheduler" });
        this.expect(clock.now() + RETRY_MS);
      }
      if (options.sweepMs > 0) this.expect(clock.now() + options.sweepMs);
    }
  }
}

const RETRY_MS = 1_000;
const MAX_TIMEOUT_MS = 2 ** 31 - 1;
