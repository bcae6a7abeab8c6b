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
  /** Before the name of every key and channel. @default {"taskcast:"} */
  prefix?: string;
  /**
   * Parts of the key space, each of which is on one node of a cluster: 1 to 1024. All instances
   * must have the same, for as long as the data lives. @default {32}
   */
  partitions?: number;
  /**
   * Milliseconds that an answer may take before the request fails. A connection on which nothing is
   * heard for twice as long is made anew. @default {5000}
   */
  timeoutMs?: number;
  /**
   * Requests that may wait for answers before more are refused. One that failed for want of an
   * answer counts until its connection breaks, since it may still be carried out. @default {10000}
   */
  maxPending?: number;
  /**
   * Wake-ups go to the shard of their task only (Redis 7). Needs, on a cluster whose clients you
   * make, `shardedSubscribers: true`. @default {false}
   */
  shardedPubSub?: boolean;
}

/** Tasks and logs in Redis. */
export interface RedisStore extends ShortTermStore {
  /**
   * Accepts that data is lost, on all instances at once: those that knew it by one of these words
   * go on with what Redis has now, within a moment. Errors and health name the words. Partitions
   * where that data is still there stay as they are.
   *
   * @returns The number of partitions in which that data is lost.
   * @throws {TypeError} If there is no word, or one that cannot be one.
   * @throws {TaskcastError} `STORE_UNAVAILABLE`.
   */
  acceptLoss(...words: string[]): Promise<number>;
}

/** Adapters of an engine on Redis. */
export interface RedisAdapters {
  /** Wake-ups over pub/sub. */
  broadcast: BroadcastProvider;
  /** Tasks and logs. */
  shortTerm: RedisStore;
}

/**
 * Makes the adapters from an address; they open their connections and close them.
 *
 * @param url `redis://user:password@host:6379/0` for one server,
 * `redis-cluster://user:password@host:6379,host:6379` for nodes of a cluster, or
 * `redis-sentinel://user:password@host:26379,host:26379/mymaster/0` for Sentinels, which may have
 * `?sentinelUsername=` and `sentinelPassword=` of their own. With `rediss` in front all are over
 * TLS.
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
 * Makes the adapters from clients of ioredis, `Redis` or `Cluster`. The clients stay yours to
 * close; give them to nothing else, since `sub` can do nothing but listen. A connection that is of
 * no use is left by `disconnect(true)`: their `retryStrategy` must let them come back.
 *
 * @param pub Publishes what the store does not by itself.
 * @param sub Listens.
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
  /** Given for clients that were opened here. */
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
  // As long as two requests that get no answer, one after the other: a server may be slow.
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
    tells: [async (base, word) => {
      if (scripts.isClosed) return; // Tasks are kept elsewhere.
      const [refused] = await scripts.run(base, "echo", [publish, word]);
      if (refused !== "") throw new Error(String(refused));
    }],
    onClose: release(pub, sub),
  });
  // Only what changes data is refused by a server that is not the master any more.
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
    wakes: broadcast,
    publish,
    onClose: release(store),
  });
  return { broadcast, shortTerm };
}

function wholeNumber(name: string, value: unknown, max: number): void {
  if (Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= max) return;
  throw new TypeError(`createRedisAdapters(): "${name}" must be a whole number from 1 to ${max}`);
}

/** The clients that ioredis has. */
export type IoredisClient = Redis | Cluster;

// They must have the shape that is asked for.
({}) as IoredisClient satisfies RedisClient;
