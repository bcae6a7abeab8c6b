/**
 * Taskcast over HTTP: a Hono app of web-standard requests and responses.
 *
 * @module
 */
export * from "./app.ts";
export * from "./auth/mod.ts";
export type { AnsweredRequest } from "./observe_requests.ts";
export { createEngineTracer } from "./tracing/engine_tracer.ts";
export type { ClientAddress, Rate, RateLimitOptions, StreamLimits } from "./limits/mod.ts";
export { forwardedAddress } from "./limits/mod.ts";
