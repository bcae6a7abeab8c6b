import type { ErrorContext, Task, TaskError } from "@taskcast/core";

/** Data that accompanies an error. */
export interface ReportContext {
  /** Severity. */
  level: "error" | "warning";
  /** Searchable values. */
  tags: Record<string, string>;
  /**
   * Reports with equal fingerprints are one issue. @default Sentry's own grouping, by stack trace
   */
  fingerprint?: string[];
  /** Further data, by topic. */
  contexts: Record<string, Record<string, unknown>>;
}

/** An error with its context. */
export interface Report {
  error: unknown;
  context: ReportContext;
}

/** Maximum length of a tag's value in Sentry. */
const TAG_LENGTH = 200;
/** Maximum reported length of a task's error message. */
const MESSAGE_LENGTH = 2_000;
/** Maximum reported length of a payload's JSON. */
const PAYLOAD_LENGTH = 4_000;

/** Returns the report of a failed task. */
export function failureReport(
  task: Task,
  error: TaskError | undefined,
  includePayloads: boolean,
): Report {
  const { code, message } = error ?? {};
  const suffix = message === undefined ? "" : `: ${cut(message, MESSAGE_LENGTH)}`;
  const tags = tagsOf(task);
  if (code !== undefined) tags["taskcast.error_code"] = tagValue(code);
  return {
    error: withoutStack(code ?? "TaskFailed", `Task ${task.id} failed${suffix}`),
    context: {
      level: "error",
      tags,
      fingerprint: [
        "taskcast.task_failed",
        tagValue(task.type ?? "no type"),
        tagValue(code ?? "no code"),
      ],
      contexts: contextsOf(task, includePayloads),
    },
  };
}

/** Returns the report of a task that timed out. */
export function timeoutReport(task: Task, includePayloads: boolean): Report {
  return {
    error: withoutStack("TaskTimeout", `Task ${task.id} timed out`),
    context: {
      level: "warning",
      tags: tagsOf(task),
      fingerprint: ["taskcast.task_timeout", tagValue(task.type ?? "no type")],
      contexts: contextsOf(task, includePayloads),
    },
  };
}

/** Returns the report of an error that reached no caller. Sentry groups it by its stack trace. */
export function unhandledReport(
  error: unknown,
  { operation, taskId, requestId }: ErrorContext,
): Report {
  const tags: Record<string, string> = { "taskcast.operation": tagValue(operation) };
  if (taskId !== undefined) tags["taskcast.task_id"] = taskId;
  // The same name as in the log and in the answer, so that one search finds all of them.
  if (requestId !== undefined) tags.requestId = tagValue(requestId);
  return { error, context: { level: "error", tags, contexts: {} } };
}

/**
 * Returns an error without a stack trace, which would show the hook and not the cause.
 *
 * The message contains the task's id: Sentry's deduplication, which some SDKs enable by default,
 * would otherwise drop the second of two tasks that fail alike. Grouping uses the fingerprint.
 */
function withoutStack(name: string, message: string): Error {
  const error = new Error(message);
  error.name = cut(name, TAG_LENGTH);
  error.stack = "";
  return error;
}

function tagsOf(task: Task): Record<string, string> {
  const tags: Record<string, string> = {
    "taskcast.task_id": task.id,
    "taskcast.status": task.status,
  };
  if (task.type !== undefined) tags["taskcast.task_type"] = tagValue(task.type);
  return tags;
}

function contextsOf(task: Task, includePayloads: boolean): ReportContext["contexts"] {
  const contexts: ReportContext["contexts"] = {
    "Taskcast task": {
      created: new Date(task.createdAt).toISOString(),
      ended: new Date(task.completedAt ?? task.updatedAt).toISOString(),
      ttlSeconds: task.ttl ?? "none",
    },
  };
  if (!includePayloads) return contexts;
  const { params, result, metadata, error } = task;
  const payloads = Object.entries({ params, result, metadata, errorDetails: error?.details })
    .filter(([, value]) => value !== undefined)
    // As text: Sentry would truncate objects below three levels.
    .map(([name, value]) => [name, cut(JSON.stringify(value), PAYLOAD_LENGTH)]);
  if (payloads.length > 0) contexts["Taskcast payloads"] = Object.fromEntries(payloads);
  return contexts;
}

/** Shortens a value and replaces white space: Sentry drops tags that are long or have line breaks. */
function tagValue(text: string): string {
  return cut(text.replaceAll(/\s/g, " "), TAG_LENGTH);
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
