/**
 * Tasks and logs in Redis or Valkey, on one node or a cluster, and wake-ups over its pub/sub: many
 * servers share them.
 *
 * @module
 */
export type { IoredisClient, RedisAdapterOptions, RedisAdapters } from "./adapters.ts";
export { createRedisAdapters } from "./adapters.ts";
export type { RedisClient, RedisNode, RedisPipeline } from "./client.ts";
export { default } from "./plugin.ts";
