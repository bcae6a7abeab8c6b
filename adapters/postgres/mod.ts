/**
 * PostgreSQL as the archive behind another store, or as the only store.
 *
 * @module
 */
export type { PostgresAdapterOptions, PostgresAdapters } from "./adapters.ts";
export { createPostgresAdapter, createPostgresAdapters, migratePostgres } from "./adapters.ts";
export { default } from "./plugin.ts";
