/**
 * Follows Taskcast tasks from browsers, Deno and Node. The client reconnects by itself and delivers
 * each event exactly once.
 *
 * @example A text that grows
 * ```ts
 * import { TaskcastClient } from "@taskcast/client";
 *
 * export async function show(taskId: string, render: (text: string) => void): Promise<void> {
 *   const client = new TaskcastClient({ baseUrl: "http://localhost:3721" });
 *   await client.subscribe(taskId, {
 *     onEvent: (_event, { text }) => render(text("answer")),
 *     onDone: (reason) => console.log("done:", reason),
 *   });
 * }
 * ```
 *
 * @module
 */
export type {
  DoneReason,
  EventEnvelope,
  EventFilter,
  OpenMessage,
  SeriesFormat,
  Since,
  TaskDetail,
  TaskEvent,
} from "@taskcast/core/protocol";
export type {
  EventContext,
  HistoryOptions,
  SubscribeOptions,
  SubscriptionError,
  TaskcastClientOptions,
} from "./client.ts";
export { TaskcastClient } from "./client.ts";
export type { BackoffOptions, HttpOptions, TokenSource } from "./http.ts";
export { TaskcastHttpError } from "./http.ts";
export { SeriesView } from "./series_view.ts";
export type { ConnectionOptions } from "./connection/connection_options.ts";
export type { EventSourceConstructor, EventSourceLike } from "./connection/event_source_connect.ts";
export type { StreamOptions } from "./task_stream.ts";
export type { TransportOptions } from "./transport.ts";
export { TaskStream } from "./task_stream.ts";
