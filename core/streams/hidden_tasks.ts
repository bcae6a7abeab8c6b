import type { Signal } from "../contracts/broadcast.ts";
import type { TaskRecord } from "../contracts/records.ts";

/** Polls for which a task without wake-ups is remembered. */
const QUIET_POLLS = 12;

/** Maximum number of tasks that are remembered. Each wake-up of any other hidden task costs a read. */
const MAX_TASKS = 10_000;

interface Hidden {
  incarnation: string;
  createdAt: number;
  quietPolls: number;
}

/**
 * The recently active tasks that a reader of all tasks may not see. Their wake-ups cost it no read.
 *
 * An entry is valid for one incarnation. A wake-up for a first event or for an end may be about another
 * incarnation, so it is not suppressed.
 */
export class HiddenTasks {
  readonly #tasks = new Map<string, Hidden>();
  readonly #maxTasks: number;

  /** @param maxTasks Maximum number of tasks that are remembered. */
  constructor({ maxTasks = MAX_TASKS }: { maxTasks?: number } = {}) {
    this.#maxTasks = maxTasks;
  }

  /** Number of tasks that are remembered. */
  get size(): number {
    return this.#tasks.size;
  }

  /** Remembers a task. */
  add({ task: { id, createdAt }, incarnation }: TaskRecord): void {
    this.#tasks.delete(id);
    this.#tasks.set(id, { incarnation, createdAt, quietPolls: 0 });
    // Maps keep insertion order, so the first entry is the oldest.
    if (this.#tasks.size > this.#maxTasks) this.#tasks.delete(this.#tasks.keys().next().value!);
  }

  /** Forgets a task. */
  delete(taskId: string): void {
    this.#tasks.delete(taskId);
  }

  /** Returns whether this incarnation of a task is known to be hidden. */
  has(taskId: string, incarnation: string): boolean {
    return this.#tasks.get(taskId)?.incarnation === incarnation;
  }

  /** Returns whether a wake-up can only be about a task that is known to be hidden. */
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
   * Forgets tasks that have been quiet for too many polls.
   *
   * @param newSinceMs Tasks created since then stay, because every poll lists them.
   */
  poll(newSinceMs: number): void {
    for (const [taskId, hidden] of this.#tasks) {
      if (++hidden.quietPolls > QUIET_POLLS && hidden.createdAt < newSinceMs) {
        this.#tasks.delete(taskId);
      }
    }
  }
}
