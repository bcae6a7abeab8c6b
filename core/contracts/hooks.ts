import type { Task, TaskError } from "../protocol/task.ts";
import type { TaskStatus } from "../protocol/status.ts";
import type { WebhookFailure } from "./webhooks.ts";

/** The context of an error that no caller receives. */
export interface ErrorContext {
  /** E.g. `broadcast`, `scheduler`, `subscription`, `hook onTaskFailed`, `POST /tasks/{id}/events`. */
  operation: string;
  /** The task concerned. */
  taskId?: string;
  /** The HTTP request being served. */
  requestId?: string;
}

/**
 * Callbacks from the engine to its host. Each runs on the instance that made the change, after the
 * change is stored. A hook that throws or rejects is reported to `onUnhandledError` and has no other
 * effect.
 */
export interface TaskcastHooks {
  /** A task was created. */
  onTaskCreated?(task: Task): void | Promise<void>;
  /** A task changed its status, for any reason. */
  onTaskTransitioned?(task: Task, from: TaskStatus): void | Promise<void>;
  /** A task became `failed`. */
  onTaskFailed?(task: Task, error: TaskError | undefined): void | Promise<void>;
  /** A task became `timeout`. */
  onTaskTimeout?(task: Task): void | Promise<void>;
  /** A webhook delivery was abandoned after its last attempt. */
  onWebhookFailed?(task: Task, failure: WebhookFailure): void | Promise<void>;
  /** An error occurred that no caller receives. */
  onUnhandledError?(error: unknown, context: ErrorContext): void | Promise<void>;
}
