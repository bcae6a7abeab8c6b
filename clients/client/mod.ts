/**
 * Follows Taskcast tasks from browsers, Deno and Node: reconnects by itself, loses nothing, doubles
 * nothing.
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
export type { ConnectionOptions, StreamOptions } from "./task_stream.ts";
export { TaskStream } from "./task_stream.ts";
