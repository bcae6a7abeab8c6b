import type { TaskState } from "./task_store.ts";
import type { FollowOptions } from "./use_task_store.ts";
import { useTaskStore } from "./use_task_store.ts";

const WANTED = { wantsTask: true };

/**
 * A task and its state, as it changes. Renders when either does, not with each event.
 *
 * It shares the connection of the other hooks on the task that have the same filter. Where there
 * are none, `filter: { types: ["taskcast:status"] }` spares the other events.
 *
 * @param taskId Nothing is followed where there is none.
 *
 * @example
 * ```ts
 * import { useTask } from "@taskcast/react";
 *
 * export function State({ taskId }: { taskId: string }): string {
 *   const { task, status, error } = useTask(taskId);
 *   if (error) return `${status}: ${error.message}`;
 *   return task?.status ?? "…";
 * }
 * ```
 */
export function useTask(
  taskId: string | null | undefined,
  options: FollowOptions = {},
): TaskState {
  return useTaskStore(taskId, options, WANTED, (view) => view.task);
}
