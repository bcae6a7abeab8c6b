import { sleep, TaskcastHttpError } from "@taskcast/client/http";
import type { LeaseState, RenewedLease } from "@taskcast/core/protocol";

/** The task has another lease or none, has ended, or was deleted: its producer must stop. */
export class LeaseLostError extends Error {
  /** `LeaseLostError` */
  override readonly name: string = "LeaseLostError";
  /** What became of the lease. */
  readonly state: LeaseState;

  /** Creates the error for a task. */
  constructor(taskId: string, state: LeaseState) {
    super(
      state === "lost"
        ? `The lease of task "${taskId}" has ended`
        : `Task "${taskId}" is ${state}, so its lease has ended`,
    );
    this.state = state;
  }
}

/** Options of `keepLease`. */
export interface KeepLeaseOptions {
  /** Milliseconds between renewals. Requests to cancel are noticed then. @default a third of the lease */
  everyMs?: number;
}

/** Calls of the server that {@linkcode LeaseKeeper} makes. */
export interface LeaseCalls {
  /** Renews the lease. */
  renew(): Promise<RenewedLease>;
  /** Confirms that the producer saw the request to cancel. */
  confirmCancel(): Promise<unknown>;
}

/** Renews a lease until it is stopped or the lease is lost. */
export class LeaseKeeper {
  readonly #taskId: string;
  readonly #calls: LeaseCalls;
  readonly #lost = new AbortController();
  readonly #cancelled = new AbortController();
  readonly #stopped = new AbortController();

  /** For internal use; call `TaskcastServerClient.keepLease`. */
  constructor(taskId: string, calls: LeaseCalls, everyMs: number) {
    this.#taskId = taskId;
    this.#calls = calls;
    void this.#run(everyMs);
  }

  /**
   * Aborts when the lease is lost, with a {@linkcode LeaseLostError} or the server's refusal as its
   * reason. Pass it to the code that does the work.
   */
  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  /** Aborts when somebody asks the task to stop. The producer then ends the task. */
  get cancelSignal(): AbortSignal {
    return this.#cancelled.signal;
  }

  /** Stops renewing. The lease expires unless the task ends before. Safe to call twice. */
  stop(): void {
    this.#stopped.abort();
  }

  /** {@linkcode LeaseKeeper.stop}, for `using`. */
  [Symbol.dispose](): void {
    this.stop();
  }

  async #run(everyMs: number): Promise<void> {
    const stopped = this.#stopped.signal;
    while (!stopped.aborted && !this.#lost.signal.aborted) {
      await sleep(everyMs, stopped);
      if (stopped.aborted) return;
      try {
        this.#update(await this.#calls.renew());
      } catch (error) {
        // While the server cannot be reached, the lease may still be there: it decides.
        const isRefused = error instanceof TaskcastHttpError && !error.transient;
        if (isRefused && !stopped.aborted) this.#lost.abort(error);
      }
    }
  }

  #update({ state }: RenewedLease): void {
    if (this.#stopped.signal.aborted) return;
    if (state === "held" || state === "blocked" || state === "paused") return;
    if (state !== "stopping") return this.#lost.abort(new LeaseLostError(this.#taskId, state));
    if (this.#cancelled.signal.aborted) return;
    this.#cancelled.abort();
    // Without the receipt the task is stopped all the same.
    this.#calls.confirmCancel().catch(() => {});
  }
}
