import type { RevisionExpectation } from "../contracts/records.ts";
import type { Tombstone } from "../contracts/short_term_store.ts";

/** Bytes counted for a tombstone. */
export const TOMBSTONE_BYTES = 200;

/** Tombstones: ids that no new task may have for some time. */
export class ClosedIds {
  /** In the order of closing, which is also the order of expiry. */
  readonly #ids = new Map<string, { incarnation: string; untilMs: number }>();

  /** Number of tombstones. */
  get size(): number {
    return this.#ids.size;
  }

  /** Returns whether an id is closed. */
  has(taskId: string, nowMs: number): boolean {
    return (this.#ids.get(taskId)?.untilMs ?? -Infinity) > nowMs;
  }

  /** Closes an id for an incarnation, and removes tombstones that have expired. */
  close(taskId: string, incarnation: string, { nowMs, untilMs }: Tombstone): void {
    this.#ids.delete(taskId);
    this.#ids.set(taskId, { incarnation, untilMs });
    for (const [id, closed] of this.#ids) {
      if (closed.untilMs > nowMs) return;
      this.#ids.delete(id);
    }
  }

  /** Removes the tombstone of an id, if it is that of the given incarnation or none is given. */
  open(taskId: string, at: RevisionExpectation | undefined): void {
    const closed = this.#ids.get(taskId);
    if (at === undefined || closed?.incarnation === at.incarnation) this.#ids.delete(taskId);
  }
}
