import { TaskcastError } from "@taskcast/core/protocol";
import type { TaskcastServerClient } from "@taskcast/server-sdk";

/**
 * Says in words that somebody else has ended or deleted a task, if that is why the server refused
 * something.
 *
 * @param error What the server refused with.
 */
export async function endedElsewhere(
  client: TaskcastServerClient,
  taskId: string,
  error: unknown,
): Promise<string | undefined> {
  if (!(error instanceof TaskcastError)) return undefined;
  if (error.code === "TASK_NOT_FOUND") return `task ${taskId} was deleted elsewhere`;
  if (error.code !== "INVALID_TRANSITION" && error.code !== "TASK_TERMINAL") return undefined;
  const task = await client.getTask(taskId).catch(() => undefined);
  const because = task?.reason === undefined ? "" : `: ${task.reason}`;
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
