/**
 * Tasks and logs in Redis or Valkey, on one node or a cluster, with wake-ups over its pub/sub. Many
 * servers can share them.
 *
 * @example An engine on Redis
 * ```ts
 * import { TaskEngine } from "@taskcast/core";
 * import { createRedisAdapters } from "@taskcast/redis";
 *
 * export function openEngine(url: string): { engine: TaskEngine; close: () => Promise<void> } {
 *   const { broadcast, shortTerm } = createRedisAdapters(url);
 *   const engine = new TaskEngine({ broadcast, shortTermStore: shortTerm });
 *   async function close(): Promise<void> {
 *     await engine.close();
 *     await Promise.all([broadcast.close(), shortTerm.close()]);
 *   }
 *   return { engine, close };
 * }
 * ```
 *
 * @module
 */
export type { IoredisClient, RedisAdapterOptions, RedisAdapters, RedisStore } from "./adapters.ts";
export { createRedisAdapters } from "./adapters.ts";
export type { RedisClient, RedisNode, RedisPipeline } from "./connection/client.ts";
export { default } from "./plugin.ts";
