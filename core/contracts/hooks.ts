import type { Task, TaskError, TaskStatus } from "../protocol/task.ts";
import type { WebhookFailure } from "./webhooks.ts";

/** What the engine was doing when an error reached nobody. */
export interface ErrorContext {
  /** E.g. `broadcast`, `scheduler`, `subscription`, `hook onTaskFailed`, `POST /tasks/{id}/events`. */
  operation: string;
  /** The task it was about. */
  taskId?: string;
  /** The request of HTTP that it served. */
  requestId?: string;
}

/**
 * Calls from the engine to its host. Each is called on the instance that made the change, after it
 * is stored. A hook that throws or rejects is reported to `onUnhandledError` and changes nothing.
 */
export interface TaskcastHooks {
  /** A task was created. */
  onTaskCreated?(task: Task): void | Promise<void>;
  /** A task changed its state, for whatever reason. */
  onTaskTransitioned?(task: Task, from: TaskStatus): void | Promise<void>;
  /** A task became `failed`. */
  onTaskFailed?(task: Task, error: TaskError | undefined): void | Promise<void>;
  /** A task became `timeout`. */
  onTaskTimeout?(task: Task): void | Promise<void>;
  /** A webhook's delivery was given up after all its attempts. */
  onWebhookFailed?(task: Task, failure: WebhookFailure): void | Promise<void>;
  /** Something went wrong that no caller will hear of. */
  onUnhandledError?(error: unknown, context: ErrorContext): void | Promise<void>;
}
