import { TaskcastError } from "../protocol/errors.ts";
import type { EngineContext } from "../context/context.ts";

/** Queues of work in which tasks may be set aside. */
export type QueueName = "archive" | "release" | "due" | "webhooks" | "cleanup";

/** A task whose work failed, while that of others is done. */
export interface SetAsideTask {
  /** The task. */
  taskId: string;
  /** Attempts that failed, on this instance. */
  failures: number;
  /** When the first of them failed. Unix milliseconds. */
  sinceMs: number;
  /** When it is tried again. Unix milliseconds. */
  retryAtMs: number;
  /** Why it failed last. */
  error: string;
}

/** The tasks that are set aside, by queue. */
export type SetAsideReport = { [Queue in QueueName]?: { count: number; tasks: SetAsideTask[] } };

/** Milliseconds between attempts: a second at first, twice as long each time, up to ten minutes. */
const FIRST_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 600_000;

/** The longest pause while no work has succeeded since the first failure: it may be the store. */
const MAX_COMMON_PAUSE_MS = 10_000;

/** The longest pause after a store could not be reached: that says nothing about the task. */
const MAX_UNREACHED_PAUSE_MS = 5_000;

/** Tasks that are remembered of a queue; of more, those that are tried again first are forgotten. */
const MAX_TASKS = 1_000;

/**
 * Tasks of a queue on which work failed by itself: they are tried again later and later, and hold up
 * nobody. What is remembered is of this instance; how long others leave a task alone is in its mark.
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

  /** How many tasks are set aside. */
  get size(): number {
    this.#forgetOld();
    return this.#tasks.size;
  }

  /** Those that wait longest, with why. */
  list(limit: number): SetAsideTask[] {
    this.#forgetOld();
    return [...this.#tasks.values()]
      .sort((a, b) => a.sinceMs - b.sinceMs)
      .slice(0, limit);
  }

  /** Whether a task is not to be tried yet. */
  isWaiting(taskId: string): boolean {
    const task = this.#tasks.get(taskId);
    return task !== undefined && task.retryAtMs > this.#context.clock.now();
  }

  /** When the first of them is tried again; `Infinity` when there is none. */
  get nextAtMs(): number {
    let nextAtMs = Infinity;
    for (const { retryAtMs } of this.#tasks.values()) nextAtMs = Math.min(nextAtMs, retryAtMs);
    return nextAtMs;
  }

  /** Work on a task failed. Tells the host, and returns when to try again. */
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

  /** Work on a task was done. */
  succeeded(taskId: string): void {
    this.#succeededAtMs = this.#context.clock.now();
    if (this.#tasks.size > 0) this.#tasks.delete(taskId);
  }

  /** Another instance may have done those that should have been tried long ago. */
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

/** Errors that are not ours may name addresses and passwords. */
function textOf(error: unknown): string {
  if (error instanceof TaskcastError) return error.message;
  return "an error that the log tells";
}
