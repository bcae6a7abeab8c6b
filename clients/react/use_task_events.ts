import { useMemo } from "react";
import { DEFAULT_MAX_EVENTS } from "./event_list.ts";
import type { TaskEvents } from "./task_store.ts";
import type { FollowOptions } from "./use_task_store.ts";
import { useTaskStore } from "./use_task_store.ts";

/** Options for {@linkcode useTaskEvents}. */
export interface TaskEventsOptions extends FollowOptions {
  /**
   * Number of newest events to keep, from 0. Texts of series are complete in any case. Hooks on one
   * task share the kept events, so a hook that asks for more later does not get events that were
   * dropped before. @default {1000}
   */
  maxEvents?: number;
}

/**
 * Returns the events of a task as they arrive. Renders at most once per frame.
 *
 * @param taskId Nothing is followed while it is `undefined`.
 * @throws {RangeError} If `maxEvents` is not an integer from 0.
 *
 * @example
 * ```ts
 * import { useTaskEvents } from "@taskcast/react";
 *
 * export function Log({ taskId }: { taskId: string }): string {
 *   const { events, isDone } = useTaskEvents(taskId, { filter: { types: ["log"] }, maxEvents: 50 });
 *   return events.map(({ data }) => String(data)).join("\n") + (isDone ? "\nThe end" : "");
 * }
 * ```
 */
export function useTaskEvents(
  taskId: string | null | undefined,
  options: TaskEventsOptions = {},
): TaskEvents {
  const { maxEvents = DEFAULT_MAX_EVENTS } = options;
  if (!Number.isSafeInteger(maxEvents) || maxEvents < 0) {
    throw new RangeError(`maxEvents is ${maxEvents}; it must be an integer from 0`);
  }
  const all = useTaskStore(taskId, options, { maxEvents }, (view) => view.events);
  return useMemo(() => newest(all, maxEvents), [all, maxEvents]);
}

/** Returns the same result with at most `maxEvents` events. */
function newest(all: TaskEvents, maxEvents: number): TaskEvents {
  const more = all.events.length - maxEvents;
  if (more <= 0) return all;
  return { ...all, events: all.events.slice(more), dropped: all.dropped + more };
}
