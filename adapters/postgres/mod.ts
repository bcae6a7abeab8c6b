/**
 * PostgreSQL as the archive behind another store, or as the only store.
 *
 * @example An archive behind memory
 * ```ts
 * import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
 * import { createPostgresAdapter } from "@taskcast/postgres";
 *
 * export async function openEngine(url: string): Promise<TaskEngine> {
 *   return new TaskEngine({
 *     broadcast: new MemoryBroadcastProvider(),
 *     shortTermStore: new MemoryShortTermStore(), // Or that of @taskcast/redis.
 *     longTermStore: await createPostgresAdapter({ url }),
 *   });
 * }
 * ```
 *
 * @module
 */
export type {
  PostgresAdapterOptions,
  PostgresAdapters,
  PostgresAdaptersOptions,
} from "./adapters.ts";
export { createPostgresAdapter, createPostgresAdapters, migratePostgres } from "./adapters.ts";
export { default } from "./plugin.ts";
