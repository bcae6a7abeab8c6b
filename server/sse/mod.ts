/**
 * For listeners that write to sockets themselves.
 *
 * A response of Taskcast that streams has a body like any other, and every server can send it. A
 * listener that knows its sockets may take the stream instead, and save the web stream between.
 *
 * @example Chunks as they come
 * ```ts
 * import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
 * import { nextChunk } from "@taskcast/core/internal";
 * import { createTaskcastApp } from "@taskcast/server";
 * import { eventStreamOf } from "@taskcast/server/sse";
 * import assert from "node:assert/strict";
 *
 * const engine = new TaskEngine({
 *   broadcast: new MemoryBroadcastProvider(),
 *   shortTermStore: new MemoryShortTermStore(),
 * });
 * await engine.createTask({ id: "t" });
 * const response = await createTaskcastApp({ engine }).request("/tasks/t/events");
 * const stream = eventStreamOf(response)!;
 * const { value } = await nextChunk(stream);
 * assert.match(new TextDecoder().decode(value!), /^retry: 1000\nevent: taskcast.open\n/);
 * await stream.cancel();
 * await engine.close();
 * ```
 *
 * @module
 */
export { eventStreamOf } from "./response.ts";
