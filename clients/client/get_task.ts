import type { CancelRequest, Task, TaskDetail } from "@taskcast/core/protocol";
import { taskPath } from "@taskcast/core/protocol";
import type { HttpClient } from "./http.ts";

/** Reads a task. @throws {TaskcastHttpError} If it does not exist, or for a foreign answer. */
export async function getTask(http: HttpClient, taskId: string): Promise<TaskDetail> {
  return await taskOf(http, taskId, "GET", "");
}

/** Asks a task to stop. @throws {TaskcastHttpError} As {@linkcode getTask}. */
export async function cancelTask(
  http: HttpClient,
  taskId: string,
  request: CancelRequest,
): Promise<Task> {
  return await taskOf(http, taskId, "POST", "/cancel", request);
}

async function taskOf(
  http: HttpClient,
  taskId: string,
  method: string,
  path: string,
  body?: CancelRequest,
): Promise<TaskDetail> {
  return await http.json(method, http.url(taskPath(taskId) + path), body, {
    isOurs: ({ id }) => id === taskId,
  });
}
