import type { BroadcastProvider, ShortTermStore } from "@taskcast/core/adapter";
import type { Cluster, Redis } from "ioredis";
import { RedisBroadcast } from "./broadcast.ts";
import type { RedisClient } from "./connection/client.ts";
import { connect } from "./connection/connect.ts";
import { Connection } from "./connection/connection.ts";
import { Partitions } from "./partitions.ts";
import { ScriptRunner } from "./scripting/script_runner.ts";
import { RedisShortTermStore } from "./short_term_store.ts";
import { StoreHealth } from "./store_health.ts";

/** Options for {@linkcode createRedisAdapters}. */
export interface RedisAdapterOptions {
  /** Prefix of every key and channel. @default {"taskcast:"} */
  prefix?: string;
  /**
   * Number of parts of the key space, from 1 to 1024; each is on one node of a cluster. All
   * instances must use the same number for as long as the data lives. @default {32}
   */
  partitions?: number;
  /**
   * Milliseconds that a reply may take before the request fails. A connection that is silent for
   * twice as long is replaced. @default {5000}
   */
  timeoutMs?: number;
  /**
   * Maximum number of requests waiting for replies; further requests are refused. A request that
   * timed out counts until its connection breaks, since Redis may still run it. @default {10000}
   */
  maxPending?: number;
  /**
   * Publishes wake-ups to the shard of their task only (Redis 7). A cluster client of your own then
   * needs `shardedSubscribers: true`. @default {false}
   */
  shardedPubSub?: boolean;
}

/** Tasks and logs in Redis. */
export interface RedisStore extends ShortTermStore {
  /**
   * Accepts the loss of data on all instances at once. Instances that knew the data by one of these
   * words soon continue with what Redis has now. Errors and health reports name the words.
   * Partitions that still have the data do not change.
   *
   * @returns The number of partitions that lost the data.
   * @throws {TypeError} If there is no word, or a malformed one.
   * @throws {TaskcastError} `STORE_UNAVAILABLE`.
   */
  acceptLoss(...words: string[]): Promise<number>;
}

/** The adapters of an engine on Redis. */
export interface RedisAdapters {
  /** Wake-ups over pub/sub. */
  broadcast: BroadcastProvider;
  /** Tasks and logs. */
  shortTerm: RedisStore;
}

/**
 * Creates the adapters from an address. They open and close their own connections.
 *
 * @param url `redis://user:password@host:6379/0` for one server,
 *   `redis-cluster://user:password@host:6379,host:6379` for nodes of a cluster, or
 *   `redis-sentinel://user:password@host:26379,host:26379/mymaster/0` for Sentinels, which may have
 *   `?sentinelUsername=` and `sentinelPassword=` of their own. The scheme prefix `rediss` turns on
 *   TLS for all connections.
 *
 * @example
 * ```ts
 * import { TaskEngine } from "@taskcast/core";
 * import { createRedisAdapters } from "@taskcast/redis";
 *
 * function createEngine(): TaskEngine {
 *   const { broadcast, shortTerm } = createRedisAdapters("redis://localhost:6379");
 *   return new TaskEngine({ broadcast, shortTermStore: shortTerm });
 * }
 * ```
 */
export function createRedisAdapters(url: string, options?: RedisAdapterOptions): RedisAdapters;
/**
 * Creates the adapters from clients of ioredis, `Redis` or `Cluster`. You close the clients. Use
 * them for nothing else: `sub` can only listen. An unusable connection is replaced by
 * `disconnect(true)`, so the clients' `retryStrategy` must allow reconnecting.
 *
 * @param pub Publishes wake-ups that the store does not publish itself.
 * @param sub Receives wake-ups.
 * @param store Runs the scripts.
 */
export function createRedisAdapters(
  pub: RedisClient,
  sub: RedisClient,
  store: RedisClient,
  options?: RedisAdapterOptions,
): RedisAdapters;
export function createRedisAdapters(
  first: string | RedisClient,
  second?: RedisAdapterOptions | RedisClient,
  third?: RedisClient,
  fourth?: RedisAdapterOptions,
): RedisAdapters {
  if (typeof first === "string") {
    let lastError: unknown;
    const sharded = (second as RedisAdapterOptions | undefined)?.shardedPubSub === true;
    const onError = (error: unknown) => lastError = error;
    const open = () => connect(first, { sharded, onError });
    const clients = [open(), open(), open()] as const;
    return adaptersOf(clients, second as RedisAdapterOptions, () => lastError);
  }
  const clients = [first, second as RedisClient, third!] as const;
  for (const [i, client] of clients.entries()) {
    if (typeof client?.pipeline !== "function") {
      const name = ["pub", "sub", "store"][i];
      throw new TypeError(`createRedisAdapters(): "${name}" must be a client of ioredis`);
    }
  }
  return adaptersOf(clients, fourth);
}

function adaptersOf(
  [pub, sub, store]: readonly [RedisClient, RedisClient, RedisClient],
  options: RedisAdapterOptions = {},
  /** Set for clients that were opened here. */
  lastError?: () => unknown,
): RedisAdapters {
  const {
    prefix = "taskcast:",
    partitions: count = 32,
    timeoutMs = 5_000,
    maxPending = 10_000,
    shardedPubSub: sharded = false,
  } = options;
  wholeNumber("partitions", count, 1024);
  wholeNumber("timeoutMs", timeoutMs, 600_000);
  wholeNumber("maxPending", maxPending, 10_000_000);
  const partitions = new Partitions({ prefix, count });
  const publish = sharded ? "SPUBLISH" : "PUBLISH";
  // Two timeouts in a row: one alone may only mean a slow server.
  const silenceMs = 2 * timeoutMs;
  const release = (...clients: RedisClient[]) => () => {
    if (lastError !== undefined) { for (const client of clients) client.disconnect(); }
  };
  const broadcast = new RedisBroadcast({
    pub,
    sub,
    partitions,
    sharded,
    timeoutMs,
    silenceMs,
    maxPending,
    lastError,
    publishers: [async (base, word) => {
      if (scripts.isClosed) return; // Tasks are kept elsewhere.
      const [refused] = await scripts.run(base, "echo", [publish, word]);
      if (refused !== "") throw new Error(String(refused));
    }],
    onClose: release(pub, sub),
  });
  // A server that is no longer the master refuses only writes, so only the store notices.
  const connection = new Connection(store, { silenceMs, onRenew: () => broadcast.renew() });
  const scripts = new ScriptRunner(store, partitions, {
    connection,
    timeoutMs,
    maxPending,
    lastError,
  });
  const shortTerm = new RedisShortTermStore(scripts, partitions, {
    connection,
    health: new StoreHealth(store, scripts, partitions),
    announcesOn: broadcast,
    publish,
    onClose: release(store),
  });
  return { broadcast, shortTerm };
}

function wholeNumber(name: string, value: unknown, max: number): void {
  if (Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= max) return;
  throw new TypeError(`createRedisAdapters(): "${name}" must be a whole number from 1 to ${max}`);
}

/** The clients of ioredis. */
export type IoredisClient = Redis | Cluster;

// A compile-time check that these clients have the required shape.
({}) as IoredisClient satisfies RedisClient;
