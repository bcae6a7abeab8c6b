import { TaskcastError } from "@taskcast/core/protocol";
import type { TaskcastServerClient } from "@taskcast/server-sdk";
import { printable } from "../../command_line/terminal.ts";

/** Returns whether the server refused a request because the task was ended or deleted elsewhere. */
export function isEnd(error: unknown): boolean {
  return error instanceof TaskcastError &&
    ["TASK_NOT_FOUND", "INVALID_TRANSITION", "TASK_TERMINAL"].includes(error.code);
}

/**
 * Returns a message that a task was ended or deleted elsewhere, if the server refused a request for
 * that reason.
 *
 * @param error The server's refusal.
 */
export async function endedElsewhere(
  client: TaskcastServerClient,
  taskId: string,
  error: unknown,
): Promise<string | undefined> {
  if (!isEnd(error)) return undefined;
  if ((error as TaskcastError).code === "TASK_NOT_FOUND") {
    return `task ${taskId} was deleted elsewhere`;
  }
  const task = await client.getTask(taskId).catch(() => undefined);
  const because = task?.reason === undefined ? "" : `: ${printable(task.reason)}`;
  switch (task?.status) {
    case "cancelled":
      return `task ${taskId} was cancelled elsewhere${because}`;
    case "timeout":
      return `task ${taskId} timed out${because}`;
    case "completed":
    case "failed":
      return `task ${taskId} was ended elsewhere, as ${task.status}${because}`;
    default:
      return undefined;
  }
}
