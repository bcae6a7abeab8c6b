/**
 * Taskcast over HTTP: a Hono app of web-standard requests and responses.
 *
 * @example Tasks under a path of an app
 * ```ts
 * import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
 * import { createTaskcastApp } from "@taskcast/server";
 * import { Hono } from "hono";
 * import assert from "node:assert/strict";
 *
 * const engine = new TaskEngine({
 *   broadcast: new MemoryBroadcastProvider(),
 *   shortTermStore: new MemoryShortTermStore(),
 * });
 * const app = new Hono().route("/taskcast", createTaskcastApp({ engine }));
 * // Deno.serve(app.fetch), or on Node serve(app) of @hono/node-server.
 * assert.equal((await app.request("/taskcast/tasks", { method: "POST" })).status, 201);
 * await engine.close(); // Ends all streams.
 * ```
 *
 * @module
 */
export { createTaskcastApp } from "./app.ts";
export type { TaskcastAppOptions } from "./app_options.ts";
export * from "./auth/mod.ts";
export type { CorsOptions } from "./origins/cors.ts";
export type { AdapterNames } from "./routes/server.ts";
export type { AnsweredRequest } from "./requests/observe_requests.ts";
export { createEngineTracer } from "./tracing/engine_tracer.ts";
export type { ClientAddress, Rate, RateLimitOptions, StreamLimits } from "./limits/mod.ts";
export { addressKey, forwardedAddress } from "./limits/mod.ts";
