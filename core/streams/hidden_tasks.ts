import type { Signal } from "../contracts/broadcast.ts";
import type { TaskRecord } from "../contracts/records.ts";

/** How long a task of which nothing is heard is remembered, in polls. */
const QUIET_POLLS = 12;

/** Tasks that are remembered at most; of others each wake-up costs a read. */
const MAX_TASKS = 10_000;

interface Hidden {
  incarnation: string;
  createdAt: number;
  quietPolls: number;
}

/**
 * The tasks that a reader of all tasks may not see and of which it heard lately, so that their
 * wake-ups cost it nothing.
 *
 * What is remembered is about one incarnation. A wake-up of the first event, or of an end, may be of
 * another; so may a task that is listed with another one.
 */
export class HiddenTasks {
  readonly #tasks = new Map<string, Hidden>();
  readonly #maxTasks: number;

  /** @param maxTasks Tasks that are remembered at most. */
  constructor({ maxTasks = MAX_TASKS }: { maxTasks?: number } = {}) {
    this.#maxTasks = maxTasks;
  }

  /** Tasks that are remembered. */
  get size(): number {
    return this.#tasks.size;
  }

  /** Remembers a task. */
  add({ task: { id, createdAt }, incarnation }: TaskRecord): void {
    this.#tasks.delete(id);
    this.#tasks.set(id, { incarnation, createdAt, quietPolls: 0 });
    // Maps keep their order, so the first is the one that was added longest ago.
    if (this.#tasks.size > this.#maxTasks) this.#tasks.delete(this.#tasks.keys().next().value!);
  }

  /** Forgets a task. */
  delete(taskId: string): void {
    this.#tasks.delete(taskId);
  }

  /** Whether this incarnation of a task is known to be hidden. */
  has(taskId: string, incarnation: string): boolean {
    return this.#tasks.get(taskId)?.incarnation === incarnation;
  }

  /** Whether a wake-up can only be of a task that is known to be hidden. */
  covers({ taskId, from, ended }: Signal): boolean {
    const hidden = this.#tasks.get(taskId);
    if (hidden === undefined) return false;
    if (from === 0 || ended) {
      this.#tasks.delete(taskId);
      return false;
    }
    hidden.quietPolls = 0;
    return true;
  }

  /**
   * A poll has come: forgets tasks that are quiet.
   *
   * @param newSinceMs Tasks created from then on are listed at each poll, and remembered.
   */
  poll(newSinceMs: number): void {
    for (const [taskId, hidden] of this.#tasks) {
      if (++hidden.quietPolls > QUIET_POLLS && hidden.createdAt < newSinceMs) {
        this.#tasks.delete(taskId);
      }
    }
  }
}
