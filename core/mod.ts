/**
 * Tasks as append-only logs that any number of readers follow: the engine, its rules, the
 * contracts of its adapters, and the memory adapters. No dependency, no runtime-specific API.
 *
 * @example A task, from its creation to its end
 * ```ts
 * import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
 * import assert from "node:assert/strict";
 *
 * const engine = new TaskEngine({
 *   broadcast: new MemoryBroadcastProvider(),
 *   shortTermStore: new MemoryShortTermStore(),
 * });
 * const { id } = await engine.createTask({ type: "import" });
 * await engine.publishEvent(id, { type: "import.progress", data: { rows: 100 } });
 * await engine.transitionTask(id, "completed");
 * assert.equal((await engine.getEvents(id)).events.length, 2);
 * await engine.close();
 * ```
 *
 * @module
 */
export type { CleanupReport } from "./background/cleanup/clean_task.ts";
export type { QueueName, SetAsideReport, SetAsideTask } from "./background/set_aside.ts";
export type { EngineOptions } from "./context/context.ts";
export { DEFAULT_ENGINE_OPTIONS } from "./context/context.ts";
export type { ErrorContext, TaskcastHooks } from "./contracts/hooks.ts";
export type {
  WebhookOptions,
  WebhookRequest,
  WebhookResponse,
  WebhookSender,
} from "./contracts/webhooks.ts";
export type { DependencyState } from "./engine/check.ts";
export type { CleanUpOptions } from "./engine/calls/clean_up.ts";
export { cleanUp } from "./engine/calls/clean_up.ts";
export type {
  DisplacedExport,
  DisplacedPlace,
  DisplacedTask,
} from "./engine/calls/displaced_tasks.ts";
export type { Ending, EndWatch } from "./engine/calls/end_watch.ts";
export { TaskEngine } from "./engine/engine.ts";
export type { HistoryPage } from "./engine/calls/history.ts";
export type { ListTasksQuery, TaskPage } from "./engine/calls/list_tasks.ts";
export type {
  EngineStats,
  HistoryOptions,
  IncarnationOptions,
  SubscribeAllOptions,
  SubscribeOptions,
  TaskEngineOptions,
} from "./engine/options.ts";
export { MemoryBroadcastProvider } from "./memory/broadcast.ts";
export { MemoryLongTermStore } from "./memory/long_term_store.ts";
export type { MemoryStoreOptions } from "./memory/short_term_store.ts";
export { MemoryShortTermStore } from "./memory/short_term_store.ts";
export type { CleanupRule } from "./protocol/cleanup.ts";
export type { ErrorCode } from "./protocol/errors.ts";
export { TaskcastError } from "./protocol/errors.ts";
export type {
  EventFilter,
  EventInput,
  Level,
  SeriesFormat,
  SeriesMode,
  Since,
  TaskEvent,
} from "./protocol/event.ts";
export type { JsonObject } from "./protocol/json.ts";
export type { Limits } from "./protocol/limits.ts";
export { DEFAULT_LIMITS } from "./protocol/limits.ts";
export type { TaskStatus } from "./protocol/status.ts";
export { isTerminal } from "./protocol/status.ts";
export type { PublishReceipt } from "./protocol/stream.ts";
export type {
  BlockedRequest,
  CreateTaskInput,
  Task,
  TaskError,
  TransitionOptions,
} from "./protocol/task.ts";
export type { Webhook } from "./protocol/webhook.ts";
export type { StreamMessage } from "./streams/object_encoder.ts";
export type { TaskcastConfig } from "./config/_generated_config.ts";
