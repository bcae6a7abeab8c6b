import type { TaskEngine } from "@taskcast/core";
import type { HeldLease } from "@taskcast/core/leases";
import { TaskcastError } from "@taskcast/core/protocol";

/** Renews the lease of a request that stays open, while bytes arrive. */
export class LeaseRenewal {
  readonly #engine: TaskEngine;
  readonly #taskId: string;
  readonly #lease: string;
  readonly #incarnation?: string;
  readonly #now: () => number;
  #nextMs = -Infinity;

  /** @param now Returns the time in milliseconds. @default `Date.now` */
  constructor(
    engine: TaskEngine,
    { taskId, lease, incarnation, now = Date.now }: HeldLease & { now?: () => number },
  ) {
    this.#engine = engine;
    this.#taskId = taskId;
    this.#lease = lease;
    this.#incarnation = incarnation;
    this.#now = now;
  }

  /**
   * Renews the lease, unless that was done within a third of its time. Call it whenever bytes arrive.
   *
   * @throws {TaskcastError} `LEASE_LOST` if the task has another lease or none; `TASK_NOT_FOUND` if it was deleted.
   */
  async onBytes(): Promise<void> {
    const nowMs = this.#now();
    if (nowMs < this.#nextMs) return;
    const { state, leaseUntil } = await this.#engine.heartbeat(this.#taskId, this.#lease, {
      incarnation: this.#incarnation,
    });
    if (state === "lost") {
      throw new TaskcastError(
        "LEASE_LOST",
        `Cannot publish to task "${this.#taskId}": the lease has ended; stop, or ask for a new one`,
        { details: { taskId: this.#taskId } },
      );
    }
    // A paused task has no expiry; looks again before a short lease could run out after it resumes.
    this.#nextMs = nowMs + (leaseUntil === undefined ? RETRY_MS : (leaseUntil - nowMs) / 3);
  }
}

const RETRY_MS = 1_000;
