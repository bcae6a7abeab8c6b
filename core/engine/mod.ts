export type { EngineOptions } from "./context.ts";
export { DEFAULT_ENGINE_OPTIONS } from "./context.ts";
export type { Ending } from "./end_watch.ts";
export * from "./engine.ts";
export * from "./frames.ts";
export type { HistoryPage } from "./history.ts";
export type { ListTasksQuery, TaskPage } from "./list_tasks.ts";
export type { StreamMessage } from "./object_encoder.ts";
export * from "./options.ts";
