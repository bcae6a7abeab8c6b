import type { TaskState } from "./rows/task_state.ts";

/** Maximum number of cached tasks. */
const MAX_STATES = 128;

/** The states of recently written tasks, as of their last write by this process. */
export class StateCache {
  readonly #states = new Map<string, TaskState>();

  /** Removes and returns the state of a task. */
  take(taskId: string): TaskState | undefined {
    const state = this.#states.get(taskId);
    this.#states.delete(taskId);
    return state;
  }

  /** Caches the state of a task. */
  keep(state: TaskState): void {
    if (state.head === undefined) return;
    state.shrink();
    this.#states.set(state.taskId, state);
    if (this.#states.size <= MAX_STATES) return;
    for (const oldest of this.#states.keys()) {
      this.#states.delete(oldest);
      return;
    }
  }
}
