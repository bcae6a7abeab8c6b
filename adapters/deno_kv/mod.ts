/**
 * Tasks and their logs in Deno KV: a file on one machine, or the database of Deno Deploy.
 *
 * Experimental: names, options and stored data may change in a minor version.
 *
 * @example An engine that needs nothing but Deno KV
 * ```ts
 * import { TaskEngine } from "@taskcast/core";
 * import { createDenoKvAdapters } from "@taskcast/deno-kv";
 * import assert from "node:assert/strict";
 *
 * const kv = await Deno.openKv(":memory:"); // On Node: `openKv()` of `@deno/kv`.
 * const { broadcast, shortTerm } = createDenoKvAdapters(kv);
 * const engine = new TaskEngine({ broadcast, shortTermStore: shortTerm });
 * const { id } = await engine.createTask();
 * await engine.publishEvents(id, [{ type: "step", level: "info", data: { n: 1 } }]);
 * assert.equal((await engine.getEvents(id)).events.length, 1);
 * await engine.close();
 * await Promise.all([broadcast.close(), shortTerm.close()]);
 * kv.close();
 * ```
 *
 * @module
 */
export type { DenoKvAdapterOptions, DenoKvAdapters } from "./adapters.ts";
export { createDenoKvAdapters } from "./adapters.ts";
export type {
  Kv,
  KvAtomic,
  KvCommitOutcome,
  KvEntry,
  KvKey,
  KvKeyPart,
  KvListOptions,
  KvSelector,
} from "./connection/kv.ts";
export { default } from "./plugin.ts";
