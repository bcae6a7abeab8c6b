/**
 * The parts that the packages of Taskcast share with each other. This entry point changes without
 * notice between minor versions: import `@taskcast/core` or `@taskcast/core/adapter` instead.
 *
 * @module
 */
export { isTaskReplaced } from "./context/refusals.ts";
export { missingMethods } from "./domain/adapter_methods.ts";
export { envelopeJson, eventJson } from "./domain/event_json.ts";
export type { TraceParent } from "./domain/traceparent.ts";
export { formatTraceparent, parseTraceparent } from "./domain/traceparent.ts";
export { object as assertObject } from "./domain/validate/checks.ts";
export { assertCleanupRules } from "./domain/validate/cleanup.ts";
export { headerNameProblem } from "./domain/validate/header_name.ts";
export { originProblem } from "./domain/validate/origin.ts";
export { secretProblem } from "./domain/validate/secret.ts";
export type { Wait } from "./domain/wait_list.ts";
export { WaitList } from "./domain/wait_list.ts";
export { memoryPlugin } from "./memory/plugin.ts";
export type { ChunkSource, ReadRequest } from "./streams/chunk_source.ts";
export { nextChunk } from "./streams/chunk_source.ts";
export type { EventFrame, FrameBuffer, FrameEncoder } from "./streams/frames.ts";
export type { TaskStream } from "./streams/task_stream.ts";
