/**
 * For listeners that write to sockets themselves.
 *
 * A streaming response has an ordinary body, which every server can send. A listener that writes to
 * its sockets directly may read the underlying stream instead, which avoids the web stream.
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
