import type { TaskDetail } from "@taskcast/core/protocol";
import { taskPath } from "@taskcast/core/protocol";
import type { HttpClient } from "./http.ts";

/** Reads a task. @throws {TaskcastHttpError} If it does not exist, or for a foreign answer. */
export async function getTask(http: HttpClient, taskId: string): Promise<TaskDetail> {
  return await http.json("GET", http.url(taskPath(taskId)), undefined, {
    isOurs: ({ id }) => id === taskId,
  });
}
