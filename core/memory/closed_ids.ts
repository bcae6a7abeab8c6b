import type { RevisionExpectation } from "../contracts/records.ts";
import type { Tombstone } from "../contracts/short_term_store.ts";

/** Bytes that a tombstone is counted with. */
export const TOMBSTONE_BYTES = 200;

/** Ids of tasks that were released lately: none is given to another task. */
export class ClosedIds {
  /** In the order in which they were closed, which is that of their times. */
  readonly #ids = new Map<string, { incarnation: string; untilMs: number }>();

  /** How many there are. */
  get size(): number {
    return this.#ids.size;
  }

  /** Returns true if an id is closed. */
  has(taskId: string, nowMs: number): boolean {
    return (this.#ids.get(taskId)?.untilMs ?? -Infinity) > nowMs;
  }

  /** Closes the id of a life, and forgets those whose time is over. */
  close(taskId: string, incarnation: string, { nowMs, untilMs }: Tombstone): void {
    this.#ids.delete(taskId);
    this.#ids.set(taskId, { incarnation, untilMs });
    for (const [id, closed] of this.#ids) {
      if (closed.untilMs > nowMs) return;
      this.#ids.delete(id);
    }
  }

  /** Opens the id of a life, or whatever life it was. */
  open(taskId: string, at: RevisionExpectation | undefined): void {
    const closed = this.#ids.get(taskId);
    if (at === undefined || closed?.incarnation === at.incarnation) this.#ids.delete(taskId);
  }
}
