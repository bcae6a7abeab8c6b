import type { ErrorContext, TaskcastHooks } from "../contracts/hooks.ts";
import type { WebhookFailure } from "../contracts/webhooks.ts";
import type { Task } from "../protocol/task.ts";
import type { TaskStatus } from "../protocol/status.ts";
import { copyOf } from "../domain/copy.ts";

/** Calls the host's hooks. Their errors and changes do not reach the engine or its callers. */
export class HookCaller {
  readonly #hooks: TaskcastHooks;

  constructor(hooks: TaskcastHooks = {}) {
    this.#hooks = hooks;
  }

  /** Reports an error that no caller receives to the host's `onUnhandledError` hook. Never throws. */
  report(error: unknown, context: ErrorContext): void {
    const failed = (again: unknown) => console.error("onUnhandledError failed:", again);
    try {
      const hook = this.#hooks.onUnhandledError;
      if (hook === undefined) console.error(`Taskcast: error in ${context.operation}:`, error);
      else Promise.resolve(hook(error, context)).catch(failed);
    } catch (again) {
      failed(again);
    }
  }

  created(task: Task): void {
    this.#hook("onTaskCreated", task);
  }

  transitioned(task: Task, from: TaskStatus): void {
    this.#hook("onTaskTransitioned", task, from);
    if (task.status === "failed") this.#hook("onTaskFailed", task, task.error);
    if (task.status === "timeout") this.#hook("onTaskTimeout", task);
  }

  webhookFailed(task: Task, failure: WebhookFailure): void {
    this.#hook("onWebhookFailed", task, failure);
  }

  #hook<Name extends Exclude<keyof TaskcastHooks, "onUnhandledError">>(
    name: Name,
    ...args: Parameters<NonNullable<TaskcastHooks[Name]>>
  ): void {
    const hook = this.#hooks[name] as ((...args: unknown[]) => unknown) | undefined;
    if (hook === undefined) return;
    const taskId = args[0].id;
    const failed = (error: unknown) => this.report(error, { operation: `hook ${name}`, taskId });
    try {
      // A copy, so that changes by a hook do not reach the caller.
      const called = hook.call(this.#hooks, ...copyOf(args));
      if (called !== undefined) Promise.resolve(called).catch(failed);
    } catch (error) {
      failed(error);
    }
  }
}
