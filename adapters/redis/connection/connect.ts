import { Cluster, Redis } from "ioredis";
import type { RedisAddress } from "./address.ts";
import { parseAddress } from "./address.ts";

/** Milliseconds that connecting to a Sentinel, or to the server that it names, may take. */
const CONNECT_MS = 3_000;

const pauseMs = (attempt: number) => Math.min(50 * attempt, 1_000);

/** Options of a connection to one server, which fails instead of repeating. */
const SERVER = {
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  // A server that is there answers at once that a connection is closed; one that is silent does
  // not.
  disconnectTimeout: 500,
};

/**
 * Makes a client that fails rather than repeats, and comes back for ever.
 *
 * @param url One server, the nodes of a cluster, or Sentinels.
 * @param onError Told why there is no connection.
 */
export function connect(
  url: string,
  { sharded, onError }: { sharded: boolean; onError: (error: unknown) => void },
): Redis | Cluster {
  const client = open(parseAddress(url), sharded);
  // Whoever asks for something is told; without a listener it would also be written to the console.
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
        // Certificates are for names, which an address that was looked up is not.
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

/** Why no node of a cluster could be asked, rather than that none could. */
function reasonOf(error: unknown): unknown {
  return (error as { lastNodeError?: unknown } | undefined)?.lastNodeError ?? error;
}
