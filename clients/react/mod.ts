/**
 * React hooks that follow Taskcast tasks. All hooks on a task share one connection, updates happen
 * once per frame, and memory is bounded. For React 18 and 19.
 *
 * ```tsx
 * import { TaskcastProvider, useTaskEvents, useTaskText } from "@taskcast/react";
 * import type { ReactElement } from "react";
 *
 * function Answer({ taskId }: { taskId: string }): ReactElement {
 *   const text = useTaskText(taskId, "answer");
 *   const { doneReason, error } = useTaskEvents(taskId);
 *   return <p>{error?.message ?? text} {doneReason && `(${doneReason})`}</p>;
 * }
 *
 * export function Page(): ReactElement {
 *   return (
 *     <TaskcastProvider baseUrl="http://localhost:3721">
 *       <Answer taskId="hello" />
 *     </TaskcastProvider>
 *   );
 * }
 * ```
 *
 * @module
 */
"use client";
export type {
  DoneReason,
  EventEnvelope,
  EventFilter,
  TaskcastClientOptions,
} from "@taskcast/client";
export { TaskcastClient, TaskcastHttpError } from "@taskcast/client";
export type { Task } from "@taskcast/core/protocol";
export type { StreamState, StreamStatus } from "./stream_state.ts";
export type { TaskcastProviderProps } from "./provider.ts";
export { TaskcastProvider, useTaskcastClient } from "./provider.ts";
export { DEFAULT_MAX_EVENTS } from "./event_list.ts";
export type { TaskEvents, TaskState } from "./task_store.ts";
export type { FollowOptions } from "./use_task_store.ts";
export type { TaskControl } from "./use_task.ts";
export { useTask } from "./use_task.ts";
export type { TaskEventsOptions } from "./use_task_events.ts";
export { useTaskEvents } from "./use_task_events.ts";
export { useTaskText } from "./use_task_text.ts";
