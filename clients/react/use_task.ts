import type { TaskState } from "./task_store.ts";
import type { FollowOptions } from "./use_task_store.ts";
import { useTaskStore } from "./use_task_store.ts";

const WANTED = { wantsTask: true };

/**
 * Returns a task and its connection state. Renders when either changes, not for each event.
 *
 * It shares the connection of the other hooks on the task with the same filter. Without other hooks,
 * use `filter: { types: ["taskcast:status"] }` to receive no other events.
 *
 * @param taskId Nothing is followed while it is `undefined`.
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
