import type { CancelRequest, Task } from "@taskcast/core/protocol";
import { useCallback, useMemo } from "react";
import { useTaskcastClient } from "./provider.ts";
import type { TaskState } from "./task_store.ts";
import type { FollowOptions } from "./use_task_store.ts";
import { useTaskStore } from "./use_task_store.ts";

const WANTED = { wantsTask: true };

/** Result of `useTask`. */
export interface TaskControl extends TaskState {
  /**
   * Asks the task to stop; needs the scope `task:cancel`. Stays the same function while the task and the
   * client do. Rejects if nothing is followed.
   */
  readonly cancel: (request?: Pick<CancelRequest, "reason" | "graceMs">) => Promise<Task>;
}

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
): TaskControl {
  const client = useTaskcastClient();
  const state = useTaskStore(taskId, options, WANTED, (view) => view.task);
  const cancel = useCallback(
    async (request?: Pick<CancelRequest, "reason" | "graceMs">): Promise<Task> => {
      if (!taskId) throw new Error("There is no task to cancel");
      return await client.cancel(taskId, request);
    },
    [client, taskId],
  );
  return useMemo(() => ({ ...state, cancel }), [state, cancel]);
}
