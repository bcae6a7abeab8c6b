import type { AdapterRole, Adapters } from "../contracts/plugin.ts";

/** Everything in this process; gone with it. */
export interface MemoryAdapterConfig {
  /** The name. */
  provider: "memory";
  /** Bytes for all tasks; then the tasks that ended longest ago are given up. @default {536870912} */
  maxBytes?: number;
}

/** One SQLite file. */
export interface SqliteAdapterConfig {
  /** The name. */
  provider: "sqlite";
  /** The file, relative to the configuration file. @default `taskcast.db` in the working folder */
  path?: string | undefined;
  /** `normal` survives the end of the process but not a loss of power. @default {"full"} */
  synchronous?: "full" | "normal";
}

/** Redis 7, Valkey 8, or a cluster of these. */
export interface RedisAdapterConfig {
  /** The name. */
  provider: "redis";
  /**
   * `redis://`, or for several servers `redis-cluster://` or `redis-sentinel://`; `rediss…` for TLS.
   * @default what `TASKCAST_REDIS_URL` says
   */
  url?: string | undefined;
  /** Before the name of every key and channel. @default {"taskcast:"} */
  prefix?: string;
  /** Parts of the key space, 1 to 1024; the same for as long as the data lives. @default {32} */
  partitions?: number;
  /** Milliseconds that an answer may take. @default {5000} */
  timeoutMs?: number;
  /** Requests that may wait for answers. @default {10000} */
  maxPending?: number;
  /** Wake-ups go to the shard of their task only. @default {false} */
  shardedPubSub?: boolean;
}

/** PostgreSQL 13 or later. */
export interface PostgresAdapterConfig {
  /** The name. */
  provider: "postgres";
  /** `postgres://user:password@host:port/database`. @default what `TASKCAST_POSTGRES_URL` says */
  url?: string | undefined;
  /**
   * Where wake-ups are listened to: the same database without a pooler that gives each transaction
   * another connection. @default what `TASKCAST_POSTGRES_LISTEN_URL` says, else `url`
   */
  listenUrl?: string | undefined;
  /** Brings the tables up to date at the start; `false`: refuses old tables. @default {true} */
  autoMigrate?: boolean;
  /** Connections at most. @default {10} */
  maxConnections?: number;
  /** Milliseconds that an answer may take. @default {10000} */
  timeoutMs?: number;
  /** Requests that may wait for answers. @default {10000} */
  maxPending?: number;
  /**
   * Prepares statements under names, which not every pooler supports.
   * @default not where a pooler is noticed
   */
  preparedStatements?: boolean;
}

/** Deno KV: a file, or the database of Deno Deploy. */
export interface DenoKvAdapterConfig {
  /** The name. */
  provider: "deno-kv";
  /**
   * The file, relative to the configuration file; `:memory:`; or the address of a database.
   * @default where Deno keeps it
   */
  path?: string | undefined;
  /** Milliseconds that an answer may take. @default {10000} */
  timeoutMs?: number;
  /** Changes that may wait for the database. @default {10000} */
  maxPending?: number;
}

/** A module whose default export is an `AdapterPlugin`, with its own options beside the name. */
export interface ModuleAdapterConfig {
  /** E.g. `./my_store.ts`, relative to the configuration file, or `npm:my-store`. */
  provider: `${string}.${string}` | `${string}/${string}` | `${string}:${string}`;
  /** What the plugin takes. */
  [option: string]: unknown;
}

/** Something that comes by name. */
export type ProviderConfig =
  | MemoryAdapterConfig
  | SqliteAdapterConfig
  | RedisAdapterConfig
  | PostgresAdapterConfig
  | DenoKvAdapterConfig
  | ModuleAdapterConfig;

/** What plays each part: something that comes by name or, in TypeScript and JavaScript, an instance. */
export interface AdaptersConfig {
  /** Wakes readers. @default the same as `shortTerm` */
  broadcast?: ProviderConfig | Adapters["broadcast"];
  /** Holds tasks and logs. @default the same as `broadcast`, else memory */
  shortTerm?: ProviderConfig | Adapters["shortTerm"];
  /** Keeps them for good. @default none */
  longTerm?: ProviderConfig | Adapters["longTerm"];
}

/** What a part can be configured as. */
export type AdapterConfig<Role extends AdapterRole = AdapterRole> = NonNullable<
  AdaptersConfig[Role]
>;
