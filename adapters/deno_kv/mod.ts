/**
 * Tasks and their logs in Deno KV: a file on one machine, or the database of Deno Deploy.
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
} from "./kv.ts";
export { default } from "./plugin.ts";
