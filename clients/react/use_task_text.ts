import type { FollowOptions } from "./use_task_store.ts";
import { useTaskStore } from "./use_task_store.ts";

/**
 * Returns the whole text of an accumulate series as it grows; empty before its first event. The text
 * is complete after a reload or a lost connection, too. Renders at most once per frame, and only
 * when the text changed.
 *
 * @param taskId Nothing is followed while it is `undefined`.
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
