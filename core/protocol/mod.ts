/**
 * What travels between Taskcast and its clients: tasks, events, streams, cursors, errors.
 * Types and small pure functions without dependencies, for any runtime, browsers included.
 *
 * @module
 */
export * from "./abort.ts";
export * from "./accumulated.ts";
export * from "./cancel.ts";
export type * from "./cleanup.ts";
export * from "./cursor.ts";
export * from "./did_you_mean.ts";
export * from "./errors.ts";
export * from "./event.ts";
export * from "./json.ts";
export * from "./limits.ts";
export * from "./line_separators.ts";
export * from "./status.ts";
export * from "./stream.ts";
export * from "./task.ts";
export * from "./task_id.ts";
export * from "./timer.ts";
export * from "./ulid.ts";
export * from "./webhook.ts";
