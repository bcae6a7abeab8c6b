/**
 * Taskcast in one import: the engine, the memory adapters and the HTTP app.
 *
 * @example A Deno Deploy app
 * ```ts
 * import {
 *   createTaskcastApp,
 *   MemoryBroadcastProvider,
 *   MemoryShortTermStore,
 *   TaskEngine,
 * } from "@taskcast/taskcast";
 * import assert from "node:assert/strict";
 *
 * const engine = new TaskEngine({
 *   broadcast: new MemoryBroadcastProvider(),
 *   shortTermStore: new MemoryShortTermStore(),
 * });
 * const app = createTaskcastApp({ engine });
 *
 * assert.equal((await app.request("/health")).status, 200);
 * await engine.close();
 * ```
 *
 * @module
 */
export * from "@taskcast/core";
export * from "@taskcast/server";
