import type { TaskReader } from "../contracts/task_reader.ts";
import type { TaskcastError } from "../protocol/errors.ts";
import { taskNotFound, taskReplaced } from "./refusals.ts";

/** Thrown if the task was deleted while its log was read, even if a new task has its id. */
export class TaskGone extends Error {}

/**
 * Runs a read of one incarnation of a task.
 *
 * @throws {TaskcastError} `TASK_NOT_FOUND` where `read` throws a {@linkcode TaskGone}.
 */
export async function whileThere<T>(
  reader: TaskReader,
  taskId: string,
  read: () => Promise<T>,
): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof TaskGone)) throw error;
    throw await goneError(reader, taskId);
  }
}

async function goneError(reader: TaskReader, taskId: string): Promise<TaskcastError> {
  return await reader.getTask(taskId) === undefined ? taskNotFound(taskId) : taskReplaced(taskId);
}
