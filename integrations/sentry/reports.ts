import type { ErrorContext, Task, TaskError } from "@taskcast/core";

/** Context of an error for Sentry. */
export interface ReportContext {
  /** How bad it is. */
  level: "error" | "warning";
  /** Searchable values. */
  tags: Record<string, string>;
  /** Reports with the same are one issue. @default Sentry's own grouping, by stack trace */
  fingerprint?: string[];
  /** Facts, by topic. */
  contexts: Record<string, Record<string, unknown>>;
}

/** An error with what belongs to it. */
export interface Report {
  error: unknown;
  context: ReportContext;
}

/** Characters of a tag's value that Sentry takes. */
const TAG_LENGTH = 200;
/** Characters of a task's error message that are reported. */
const MESSAGE_LENGTH = 2_000;
/** Characters of JSON of each payload that are reported. */
const PAYLOAD_LENGTH = 4_000;

/** A task that failed. */
export function failureReport(
  task: Task,
  error: TaskError | undefined,
  includePayloads: boolean,
): Report {
  const { code, message } = error ?? {};
  const said = message === undefined ? "" : `: ${cut(message, MESSAGE_LENGTH)}`;
  const tags = tagsOf(task);
  if (code !== undefined) tags["taskcast.error_code"] = tagValue(code);
  return {
    error: nameless(code ?? "TaskFailed", `Task ${task.id} failed${said}`),
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

/** A task whose time ran out. */
export function timeoutReport(task: Task, includePayloads: boolean): Report {
  return {
    error: nameless("TaskTimeout", `Task ${task.id} timed out`),
    context: {
      level: "warning",
      tags: tagsOf(task),
      fingerprint: ["taskcast.task_timeout", tagValue(task.type ?? "no type")],
      contexts: contextsOf(task, includePayloads),
    },
  };
}

/** An error that no caller hears of; grouped by Sentry itself, since it has a stack trace. */
export function unhandledReport(
  error: unknown,
  { operation, taskId, requestId }: ErrorContext,
): Report {
  const tags: Record<string, string> = { "taskcast.operation": tagValue(operation) };
  if (taskId !== undefined) tags["taskcast.task_id"] = taskId;
  // Named as in the log and in the answer, where it is looked for.
  if (requestId !== undefined) tags.requestId = tagValue(requestId);
  return { error, context: { level: "error", tags, contexts: {} } };
}

/**
 * An error without a stack trace, since the place of a hook tells nothing of a task.
 *
 * The task's id is part of its message: Sentry's deduplication, which some SDKs have by default,
 * would drop the second of two tasks that fail alike. Grouping is by fingerprint.
 */
function nameless(name: string, message: string): Error {
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
    // As text: Sentry would cut objects off below three levels.
    .map(([name, value]) => [name, cut(JSON.stringify(value), PAYLOAD_LENGTH)]);
  if (payloads.length > 0) contexts["Taskcast payloads"] = Object.fromEntries(payloads);
  return contexts;
}

/** Sentry drops a tag whose value is longer or has line breaks. */
function tagValue(text: string): string {
  return cut(text.replaceAll(/\s/g, " "), TAG_LENGTH);
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
