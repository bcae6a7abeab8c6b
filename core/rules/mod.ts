export * from "./append.ts";
export { envelopeJson, eventJson, idOf, toTaskEvent } from "./event_json.ts";
export * from "./expectation.ts";
export * from "./filter.ts";
export { assertCleanupRules } from "./validate/cleanup.ts";
export { isAtMark } from "./mark.ts";
export * from "./series.ts";
export { canTransition, NEXT_STATUSES } from "./state_machine.ts";
export * from "./traceparent.ts";
