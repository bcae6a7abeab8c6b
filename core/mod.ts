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
export * from "./config/mod.ts";
export * from "./contracts/mod.ts";
export * from "./engine/mod.ts";
export * from "./memory/mod.ts";
export * from "./protocol/mod.ts";
export * from "./domain/mod.ts";
