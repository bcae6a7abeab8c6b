/**
 * The types of creating a task in a way that is safe to repeat.
 *
 * @example The same caller gets the same task for the same key
 * ```ts
 * import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
 * import type { CreateOptions } from "@taskcast/core/creation";
 * import assert from "node:assert/strict";
 *
 * const engine = new TaskEngine({
 *   broadcast: new MemoryBroadcastProvider(),
 *   shortTermStore: new MemoryShortTermStore(),
 * });
 * const options: CreateOptions = { idempotency: { key: "order-1" } };
 * const first = await engine.createTask({ type: "report" }, options);
 * const again = await engine.createTask({ type: "report" }, options);
 * assert.equal(again.id, first.id);
 * await engine.close();
 * ```
 *
 * @module
 */
export type { Created, CreateOptions } from "./engine/writer.ts";
