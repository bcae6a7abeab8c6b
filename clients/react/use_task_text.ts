import type { FollowOptions } from "./use_task_store.ts";
import { useTaskStore } from "./use_task_store.ts";

/**
 * The whole text of an accumulate series, as it grows; empty while there is none. After any reload
 * or lost connection it is right. Renders once a frame at most, and only when the text has changed.
 *
 * @param taskId Nothing is followed where there is none.
 * @param seriesId The series, e.g. `"answer"`.
 *
 * @example
 * ```ts
 * import { useTaskText } from "@taskcast/react";
 *
 * export function Answer({ taskId }: { taskId: string }): string {
 *   return useTaskText(taskId, "answer");
 * }
 * ```
 */
export function useTaskText(
  taskId: string | null | undefined,
  seriesId: string,
  options: FollowOptions = {},
): string {
  return useTaskStore(taskId, options, { seriesId }, (view) => view.text(seriesId));
}
