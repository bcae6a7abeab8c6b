import { Cluster, Redis } from "ioredis";
import type { RedisAddress } from "./address.ts";
import { parseAddress } from "./address.ts";

/** Milliseconds that connecting to a Sentinel, or to the server that it names, may take. */
const CONNECT_MS = 3_000;

const pauseMs = (attempt: number) => Math.min(50 * attempt, 1_000);

/** Options of a connection to one server: commands fail rather than repeat. */
const SERVER = {
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  // A live server confirms a close at once; a silent one never does.
  disconnectTimeout: 500,
};

/**
 * Creates a client whose commands fail rather than repeat, and which reconnects forever.
 *
 * @param url One server, the nodes of a cluster, or Sentinels.
 * @param onError Called with the reason why there is no connection.
 */
export function connect(
  url: string,
  { sharded, onError }: { sharded: boolean; onError: (error: unknown) => void },
): Redis | Cluster {
  const client = open(parseAddress(url), sharded);
  // Callers get the error; without a listener, ioredis would also write it to the console.
  client.on("error", (error: unknown) => onError(reasonOf(error)));
  return client;
}

function open(address: RedisAddress, sharded: boolean): Redis | Cluster {
  const { kind, tls, username, password, family } = address;
  const login = {
    username,
    password,
    ...(tls && { tls }),
    ...(family !== undefined && { family }),
  };
  switch (kind) {
    case "server":
      return new Redis({
        ...SERVER,
        ...login,
        host: address.host,
        port: address.port,
        db: address.db,
        retryStrategy: pauseMs,
      });
    case "cluster":
      return new Cluster(address.nodes, {
        shardedSubscribers: sharded,
        clusterRetryStrategy: pauseMs,
        slotsRefreshTimeout: CONNECT_MS,
        // Certificates are for host names, so hosts must not be resolved first.
        ...(tls && { dnsLookup: (host, found) => found(null, host) }),
        redisOptions: { ...SERVER, ...login, connectTimeout: CONNECT_MS },
      });
    case "sentinel":
      return new Redis({
        ...SERVER,
        ...login,
        sentinels: address.sentinels,
        name: address.name,
        db: address.db,
        sentinelUsername: address.sentinelUsername,
        sentinelPassword: address.sentinelPassword,
        enableTLSForSentinelMode: tls !== undefined,
        ...(tls && { sentinelTLS: tls }),
        connectTimeout: CONNECT_MS,
        sentinelCommandTimeout: CONNECT_MS,
        retryStrategy: pauseMs,
        sentinelRetryStrategy: pauseMs,
      });
  }
}

/** Returns why no cluster node could be reached, rather than only that none could. */
function reasonOf(error: unknown): unknown {
  return (error as { lastNodeError?: unknown } | undefined)?.lastNodeError ?? error;
}
