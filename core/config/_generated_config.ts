// Made by `deno task generate` from cli/config/schema: change the description there.
import type { Adapters } from "../contracts/plugin.ts";
import type { AuthFunction } from "./auth.ts";
import type { CleanupRule } from "../protocol/cleanup.ts";
import type { GlobalWebhook } from "../contracts/webhooks.ts";
import type { JwtAlgorithm } from "./auth.ts";
import type { Scope } from "../protocol/task.ts";
import type { TaskcastHooks } from "../contracts/hooks.ts";
import type { WebhookRetry } from "../protocol/webhook.ts";

/**
 * The configuration of a Taskcast server: the default export of `taskcast.config.ts`, or the same in
 * YAML or JSON. The command line and the environment take precedence.
 *
 * @example taskcast.config.ts
 * ```ts
 * import type { TaskcastConfig } from "@taskcast/core";
 * import process from "node:process";
 *
 * const config = {
 *   port: 3721,
 *   auth: { mode: "jwt", jwt: { algorithm: "HS256", secret: process.env.JWT_SECRET } },
 *   adapters: { shortTerm: { provider: "redis", url: process.env.REDIS_URL } },
 * } satisfies TaskcastConfig;
 *
 * export default config;
 * ```
 */
export interface TaskcastConfig {
  /** Port to listen on; 0 picks a free one. @default {3721} */
  port?: number | undefined;
  /** Address to listen on. @default 127.0.0.1 and ::1 without authentication, else 0.0.0.0 */
  host?: string | undefined;
  /**
   * Additional host names under which a server on loopback without authentication may be called: a
   * list, or a text with commas.
   */
  allowHosts?: string | string[] | undefined;
  /**
   * HTTP server on Deno: `deno` is its own, `node` is node:http, which needs a third of the memory
   * for each idle reader. @default that of the runtime
   */
  listener?: "node" | "deno" | undefined;
  /** Least important level that is logged. @default {"info"} */
  logLevel?: "debug" | "info" | "warn" | "error" | undefined;
  /**
   * Log format: for people, or one JSON object a line. @default pretty at a terminal, else json
   */
  logFormat?: "pretty" | "json" | undefined;
  /**
   * Number of your own proxies in front of the server that add to `X-Forwarded-For`; with 0 the
   * header is ignored. @default {0}
   */
  trustProxy?: number | undefined;
  /**
   * Query parameters added by a proxy or a gateway, which are ignored instead of refused, as those
   * that begin with `_` are.
   */
  ignoredParameters?: string[] | undefined;
  /** Authentication of callers. */
  auth?: AuthConfig | undefined;
  /**
   * Services that authenticate with a key, by name: the key alone for full access, or with `scope`
   * and `taskIds`.
   */
  trustedServices?: Record<string, string | TrustedServiceConfig> | undefined;
  /**
   * Secret that signs tickets; the same on all instances. @default derived from the HS256 secret,
   * else random
   */
  ticketSecret?: string | undefined;
  /**
   * Accepts secrets for HS256 and for tickets with fewer than 32 bytes, which can be guessed.
   * @default {false}
   */
  allowShortSecrets?: boolean | undefined;
  /** Stores of tasks. */
  adapters?: AdaptersConfig | undefined;
  /** Reports to Sentry. */
  sentry?: SentryConfig | undefined;
  /** Webhook settings. */
  webhook?: WebhookConfig | undefined;
  /** Deletion of old tasks and events. */
  cleanup?: CleanupConfig | undefined;
  /** Access for pages of other origins. @default none */
  cors?: CorsConfig | undefined;
  /** Limits on input, streams and connections. */
  limits?: LimitsConfig | undefined;
  /** Tuning of the engine: sizes and intervals. */
  engine?: EngineConfig | undefined;
  /** Functions that are called after a change is stored. */
  hooks?: TaskcastHooks | undefined;
}

/** Authentication of callers. */
export interface AuthConfig {
  /**
   * Authentication mode: `none` lets everybody do everything, `jwt` requires a valid token,
   * `custom` calls the function `auth.custom`. @default {"none"}
   */
  mode?: "none" | "jwt" | "custom" | undefined;
  /** Settings for the mode `jwt`. */
  jwt?: JwtConfig | undefined;
  /**
   * Function for the mode `custom`: returns the caller's rights, or null to reject the request.
   */
  custom?: AuthFunction | undefined;
}

/**
 * Verification of tokens. One of `secret`, `publicKey`, `publicKeyFile` and `jwksUrl` is needed.
 */
export interface JwtConfig {
  /** Signature algorithm that every token must use. @default {"HS256"} */
  algorithm?: JwtAlgorithm | undefined;
  /** Shared secret for HS256, at least 32 bytes. */
  secret?: string | undefined;
  /** Public key for the other algorithms: PEM (SPKI), or a JWK as JSON text. */
  publicKey?: string | undefined;
  /** File with the public key, relative to the configuration file. */
  publicKeyFile?: string | undefined;
  /** Address at which the issuer publishes its public keys. */
  jwksUrl?: string | undefined;
  /**
   * Minimum milliseconds between two fetches of the key set that are caused by an unknown key.
   * @default {30000}
   */
  jwksCooldownMs?: number | undefined;
  /** Milliseconds after which the key set is fetched again. @default {600000} */
  jwksMaxAgeMs?: number | undefined;
  /** Required `iss` of a token: a text, or a list of which one must match. */
  issuer?: string | string[] | undefined;
  /** Required `aud` of a token: a text, or a list of which one must match. */
  audience?: string | string[] | undefined;
  /** Tolerated clock difference in seconds. @default {0} */
  clockToleranceSeconds?: number | undefined;
  /** Names of the claims that hold a token's rights. */
  claims?: JwtClaims | undefined;
}

/**
 * Names of the claims that hold a token's rights. A name may lead into a claim:
 * `realm_access.roles`.
 */
export interface JwtClaims {
  /** Claim with the scopes, or several claims, all of which count. @default scope */
  scope?: string | string[] | undefined;
  /**
   * Claim with the task ids; with `*` every token is for all tasks, and its scopes decide.
   * @default taskIds
   */
  taskIds?: string | undefined;
  /** Prefix of scopes in tokens, as in `taskcast/task:create`; scopes without it are ignored. */
  prefix?: string | undefined;
}

/** A service that authenticates with a key. */
export interface TrustedServiceConfig {
  /** Key that the service sends as `X-Taskcast-Service-Key`, at least 16 characters. */
  key: string;
  /** Scopes of the service. @default all */
  scope?: Scope[] | undefined;
  /** Ids of the tasks that it may access. @default all */
  taskIds?: "*" | string[] | undefined;
}

/** Stores of tasks. */
export interface AdaptersConfig {
  /** Adapter that wakes readers. @default that of `shortTerm` */
  broadcast?: ProviderConfig | Adapters["broadcast"] | undefined;
  /** Store of tasks and their logs. @default that of `broadcast`, else memory */
  shortTerm?: ProviderConfig | Adapters["shortTerm"] | undefined;
  /** Archive that keeps them for good. @default none */
  longTerm?: ProviderConfig | Adapters["longTerm"] | undefined;
}

/** Reports to Sentry. */
export interface SentryConfig {
  /** Address to report to: `https://<key>@<host>/<project>`; without it nothing is reported. */
  dsn?: string | undefined;
  /** Environment in reports, such as `staging`. @default that of the SDK */
  environment?: string | undefined;
  /** Version in reports. @default that of the SDK */
  release?: string | undefined;
  /** Reports tasks that became `failed`. @default {true} */
  captureTaskFailures?: boolean | undefined;
  /** Reports tasks that became `timeout`. @default {true} */
  captureTaskTimeouts?: boolean | undefined;
  /** Reports errors that no caller receives. @default {true} */
  captureUnhandledErrors?: boolean | undefined;
  /** Adds params, results and errors of tasks to reports. @default {false} */
  includePayloads?: boolean | undefined;
}

/** Webhook settings. */
export interface WebhookConfig {
  /** Retry policy of webhooks without their own. */
  defaultRetry?: WebhookRetry | undefined;
  /** Webhooks of all tasks created from now on. */
  hooks?: GlobalWebhook[] | undefined;
  /**
   * Hosts that may have private or loopback addresses, as written in the webhook's URL; `true`:
   * all. @default none
   */
  allowPrivate?: boolean | string[] | undefined;
}

/** Deletion of old tasks and events. */
export interface CleanupConfig {
  /** Rules for all tasks, in addition to a task's own. */
  rules?: CleanupRule[] | undefined;
}

/** Access for pages of other origins. */
export interface CorsConfig {
  /**
   * Origins whose pages may call, as browsers write them: a list, a text with commas, or `*` for
   * all.
   */
  origin?: string | string[] | undefined;
  /** Lets browsers send cookies; not with `*`. @default {false} */
  credentials?: boolean | undefined;
  /**
   * Additional request headers that pages may send, such as those of the client's option
   * `headers`.
   */
  allowedHeaders?: string[] | undefined;
  /** Seconds that a browser may cache a preflight answer. @default {600} */
  maxAgeSeconds?: number | undefined;
}

/** Limits on input, streams and connections. */
export interface LimitsConfig {
  /** Events that one task may hold. @default {1000000} */
  maxEventsPerTask?: number | undefined;
  /** Bytes of event data that one task may hold. @default {268435456} */
  maxBytesPerTask?: number | undefined;
  /** Bytes of one event's data. @default {1048576} */
  maxEventBytes?: number | undefined;
  /** Events in one request. @default {1000} */
  maxBatchEvents?: number | undefined;
  /** Levels of nesting in any JSON. @default {64} */
  maxJsonDepth?: number | undefined;
  /** Bytes of one task's own JSON: params, metadata, result, …. @default {1048576} */
  maxTaskBytes?: number | undefined;
  /** Bytes of a request body, and of one line of NDJSON. @default {1048576} */
  maxBodyBytes?: number | undefined;
  /** Rate limit of requests. */
  rateLimit?: RateLimitConfig | undefined;
  /** Open streams of all callers together. @default {10000} */
  maxStreams?: number | undefined;
  /**
   * Open streams of one credential, or of one address without authentication. @default no limit
   */
  maxStreamsPerCredential?: number | undefined;
  /**
   * Open connections of all clients together. @default 10 000, or 80 % of the file descriptors if
   * that is less
   */
  maxConnections?: number | undefined;
  /**
   * Open connections of one address, or of one /64 network of IPv6; no effect with `Deno.serve`.
   * @default 1 000 for a public address; no limit for a private one and with `trustProxy`
   */
  maxConnectionsPerAddress?: number | undefined;
  /**
   * Milliseconds in which the headers of a request must arrive; no effect with `Deno.serve`.
   * @default {15000}
   */
  headersTimeoutMs?: number | undefined;
  /** Milliseconds that a request body may pause; NDJSON may pause longer. @default {30000} */
  bodyTimeoutMs?: number | undefined;
}

/** Rate limit of requests. */
export interface RateLimitConfig {
  /**
   * Requests a second from one credential; an address may send ten times as many. @default no
   * limit
   */
  requestsPerSecond?: number | undefined;
  /**
   * Requests that may arrive at once; needs `requestsPerSecond`. @default twice
   * `requestsPerSecond`
   */
  burst?: number | undefined;
}

/** Tuning of the engine: sizes and intervals. */
export interface EngineConfig {
  /** Events read from the store at a time. @default {512} */
  pageSize?: number | undefined;
  /** Approximate bytes read from the store at a time. @default {1048576} */
  pageBytes?: number | undefined;
  /** Approximate bytes in one page of history. @default {16777216} */
  historyBytes?: number | undefined;
  /** Bytes of recent events kept in memory per task with readers. @default {1048576} */
  tailBytes?: number | undefined;
  /**
   * Readers of one task woken before other work gets its turn; the rest wait up to 1 ms. @default
   * {32}
   */
  wakesPerTurn?: number | undefined;
  /** Milliseconds between heartbeats on idle streams. @default {5000} */
  heartbeatMs?: number | undefined;
  /** Milliseconds between polls that make up for lost wake-ups. @default {5000} */
  pollMs?: number | undefined;
  /** Milliseconds until a stream retries while the store is unreachable. @default {500} */
  storeRetryMs?: number | undefined;
  /**
   * Milliseconds between searches for due work that another instance left behind; 0: none.
   * @default {1000}
   */
  sweepMs?: number | undefined;
  /** Due tasks handled at a time. @default {100} */
  sweepLimit?: number | undefined;
  /** Milliseconds between a commit and its copy to the archive. @default {500} */
  archiveDelayMs?: number | undefined;
  /** Events written to the archive at a time. @default {1000} */
  archiveBatch?: number | undefined;
  /**
   * Percentage of the time that archiving may work while events are published; 100: no pauses.
   * @default {20}
   */
  archivePercent?: number | undefined;
  /**
   * Milliseconds that an ended task stays in the short-term store when there is an archive.
   * @default {3600000}
   */
  hotRetentionMs?: number | undefined;
  /**
   * Milliseconds between searches of all ended tasks for clean-up rules that apply. @default
   * {21600000}
   */
  cleanupSearchMs?: number | undefined;
}

/** The memory of this process; its tasks end with it. */
export interface MemoryAdapterConfig {
  /** Name of the adapter. */
  provider: "memory";
  /**
   * Bytes for all tasks; beyond it the tasks that ended longest ago are evicted. @default
   * {536870912}
   */
  maxBytes?: number | undefined;
}

/** A SQLite file. */
export interface SqliteAdapterConfig {
  /** Name of the adapter. */
  provider: "sqlite";
  /** Database file, relative to the configuration file. @default {"taskcast.db"} */
  path?: string | undefined;
  /** `full` survives a power failure, `normal` only the end of the process. @default {"full"} */
  synchronous?: "full" | "normal" | undefined;
}

/** Redis 7, Valkey 8, or a cluster of these. */
export interface RedisAdapterConfig {
  /** Name of the adapter. */
  provider: "redis";
  /**
   * `redis://` address; `redis-cluster://` or `redis-sentinel://` for several servers; `rediss…`
   * for TLS.
   */
  url?: string | undefined;
  /** Prefix of all keys and channels. @default {"taskcast:"} */
  prefix?: string | undefined;
  /** Number of partitions of the key space; must not change while there is data. @default {32} */
  partitions?: number | undefined;
  /** Milliseconds until an unanswered request fails. @default {5000} */
  timeoutMs?: number | undefined;
  /** Requests that may wait for answers. @default {10000} */
  maxPending?: number | undefined;
  /** Sends wake-ups only to the shard of their task. @default {false} */
  shardedPubSub?: boolean | undefined;
}

/** PostgreSQL 13 or later. */
export interface PostgresAdapterConfig {
  /** Name of the adapter. */
  provider: "postgres";
  /** `postgres://user:password@host:port/database`. */
  url?: string | undefined;
  /**
   * Address for wake-ups: the same database without a pooler in transaction mode. @default the
   * same as `url`
   */
  listenUrl?: string | undefined;
  /**
   * Updates the tables at the start; `false` refuses to start with outdated tables. @default
   * {true}
   */
  autoMigrate?: boolean | undefined;
  /** Maximum number of connections. @default {10} */
  maxConnections?: number | undefined;
  /** Milliseconds until an unanswered request fails. @default {10000} */
  timeoutMs?: number | undefined;
  /** Requests that may wait for answers. @default {10000} */
  maxPending?: number | undefined;
  /**
   * Uses named prepared statements, which not every pooler supports. @default false behind a
   * pooler that is detected
   */
  preparedStatements?: boolean | undefined;
}

/** Deno KV: a file, or the database of Deno Deploy. */
export interface DenoKvAdapterConfig {
  /** Name of the adapter. */
  provider: "deno-kv";
  /**
   * Database file, relative to the configuration file; `:memory:`; or the address of a database.
   * @default Deno's own place
   */
  path?: string | undefined;
  /** Milliseconds until an unanswered request fails. @default {10000} */
  timeoutMs?: number | undefined;
  /** Changes that may wait for the database. @default {10000} */
  maxPending?: number | undefined;
}

/** A module whose default export is an `AdapterPlugin`, with the plugin's options. */
export interface ModuleAdapterConfig {
  /** The module: `./my_store.ts`, relative to the configuration file, or `npm:my-store`. */
  provider: `${string}.${string}` | `${string}/${string}` | `${string}:${string}`;
  /** An option of the plugin. */
  [option: string]: unknown;
}

/** An adapter that is chosen by name, with its options. */
export type ProviderConfig =
  | MemoryAdapterConfig
  | SqliteAdapterConfig
  | RedisAdapterConfig
  | PostgresAdapterConfig
  | DenoKvAdapterConfig
  | ModuleAdapterConfig;
