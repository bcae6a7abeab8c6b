import { TaskcastError } from "../protocol/errors.ts";
import type { EngineContext } from "../context/context.ts";

/** A queue of work in which tasks may be set aside. */
export type QueueName = "archive" | "release" | "due" | "webhooks" | "cleanup";

/** A task whose work failed while that of others succeeded. */
export interface SetAsideTask {
  /** The task. */
  taskId: string;
  /** Number of failed attempts on this instance. */
  failures: number;
  /** Time of the first failure in Unix milliseconds. */
  sinceMs: number;
  /** Time of the next attempt in Unix milliseconds. */
  retryAtMs: number;
  /** The reason for the last failure. */
  error: string;
}

/** The tasks that are set aside, by queue. */
export type SetAsideReport = { [Queue in QueueName]?: { count: number; tasks: SetAsideTask[] } };

/** Milliseconds between attempts: a second at first, twice as long each time, up to ten minutes. */
const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 600_000;

/** The longest pause while no other work has succeeded since the first failure: the store may be the cause. */
const MAX_COMMON_PAUSE_MS = 10_000;

/** The longest pause after a store could not be reached, which is not the task's fault. */
const MAX_UNREACHED_PAUSE_MS = 5_000;

/** Maximum number of tasks remembered for a queue. The one that is retried first is forgotten first. */
const MAX_TASKS = 1_000;

/**
 * The tasks of a queue whose work fails because of the task itself. They are retried at increasing
 * intervals, so they do not delay other tasks. The list is local to this instance; other instances see the
 * task scheduled for its next attempt.
 */
export class SetAside {
  readonly #context: EngineContext;
  readonly #queue: QueueName;
  readonly #tasks = new Map<string, SetAsideTask>();
  #succeededAtMs = -Infinity;

  constructor(context: EngineContext, queue: QueueName) {
    this.#context = context;
    this.#queue = queue;
  }

  /** Number of tasks that are set aside. */
  get size(): number {
    this.#forgetOld();
    return this.#tasks.size;
  }

  /** Returns the tasks that have waited longest. */
  list(limit: number): SetAsideTask[] {
    this.#forgetOld();
    return [...this.#tasks.values()]
      .sort((a, b) => a.sinceMs - b.sinceMs)
      .slice(0, limit);
  }

  /** Returns whether a task must not be retried yet. */
  isWaiting(taskId: string): boolean {
    const task = this.#tasks.get(taskId);
    return task !== undefined && task.retryAtMs > this.#context.clock.now();
  }

  /** The time of the next retry; `Infinity` if there is none. */
  get nextAtMs(): number {
    let nextAtMs = Infinity;
    for (const { retryAtMs } of this.#tasks.values()) nextAtMs = Math.min(nextAtMs, retryAtMs);
    return nextAtMs;
  }

  /** Records and reports a failure. Returns the time of the next attempt. */
  failed(taskId: string, error: unknown): number {
    const nowMs = this.#context.clock.now();
    const before = this.#tasks.get(taskId);
    const failures = (before?.failures ?? 0) + 1;
    const isAlone = before !== undefined && this.#succeededAtMs >= before.sinceMs;
    const maxPauseMs = isUnreached(error)
      ? MAX_UNREACHED_PAUSE_MS
      : isAlone
      ? MAX_PAUSE_MS
      : MAX_COMMON_PAUSE_MS;
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, 30), maxPauseMs);
    const task: SetAsideTask = {
      taskId,
      failures,
      sinceMs: before?.sinceMs ?? nowMs,
      retryAtMs: nowMs + pauseMs,
      error: textOf(error),
    };
    this.#tasks.delete(taskId);
    this.#tasks.set(taskId, task);
    if (this.#tasks.size > MAX_TASKS) this.#forgetFirst();
    this.#context.report(error, { operation: this.#queue, taskId });
    return task.retryAtMs;
  }

  /** Records a success, which removes the task. */
  succeeded(taskId: string): void {
    this.#succeededAtMs = this.#context.clock.now();
    if (this.#tasks.size > 0) this.#tasks.delete(taskId);
  }

  /** Forgets tasks that are long overdue: another instance has probably done their work. */
  #forgetOld(): void {
    const oldestMs = this.#context.clock.now() - MAX_PAUSE_MS;
    for (const [taskId, { retryAtMs }] of this.#tasks) {
      if (retryAtMs < oldestMs) this.#tasks.delete(taskId);
    }
  }

  #forgetFirst(): void {
    let first: SetAsideTask | undefined;
    for (const task of this.#tasks.values()) {
      if (first === undefined || task.retryAtMs < first.retryAtMs) first = task;
    }
    if (first !== undefined) this.#tasks.delete(first.taskId);
  }
}

function isUnreached(error: unknown): boolean {
  return error instanceof TaskcastError && error.code === "STORE_UNAVAILABLE";
}

/** Returns an error's text. Errors that are not ours may contain addresses and passwords. */
function textOf(error: unknown): string {
  if (error instanceof TaskcastError) return error.message;
  return "an error; see the log";
}
