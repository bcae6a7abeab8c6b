import { readAddressParameters } from "@taskcast/core/adapter";
import { TLS_PARAMETERS, TLS_REFUSED } from "./tls.ts";
import { wrong } from "./wrong_address.ts";

const USED: readonly string[] = [
  ...["db", "family", "username", "password", "sentinelUsername", "sentinelPassword"],
  ...TLS_PARAMETERS,
];

/**
 * Parameters that hosting services and other clients add to addresses, about their pools, timeouts
 * and names.
 */
const IGNORED: readonly string[] = [
  // redis-py, Celery, kombu.
  ...["client_name", "decode_responses", "encoding", "encoding_errors", "health_check_interval"],
  ...[
    "max_connections",
    "protocol",
    "retry_on_error",
    "retry_on_timeout",
    "socket_connect_timeout",
  ],
  ...["socket_keepalive", "socket_timeout", "visibility_timeout"],
  // go-redis.
  ...["conn_max_idle_time", "conn_max_lifetime", "dial_timeout", "idle_check_frequency"],
  ...["idle_timeout", "max_active_conns", "max_conn_age", "max_idle_conns", "max_retries"],
  ...["max_retry_backoff", "min_idle_conns", "min_retry_backoff", "pool_fifo", "pool_size"],
  ...["pool_timeout", "read_timeout", "write_timeout"],
  // Lettuce, phpredis, Symfony.
  ...["clientName", "libraryName", "libraryVersion", "persistent", "persistent_id"],
  ...["retry_interval", "tcp_keepalive", "timeout"],
  // ioredis: the adapter relies on these and sets them itself.
  ...["autoResendUnfulfilledCommands", "autoResubscribe", "autoPipeline", "commandTimeout"],
  ...["connectionName", "connectTimeout", "enableAutoPipelining", "enableOfflineQueue"],
  ...["enableReadyCheck", "keepAlive", "lazyConnect", "maxRetriesPerRequest", "noDelay"],
  ...["showFriendlyErrorStack", "stringNumbers"],
];

const PREFIX = 'keys get their prefix by the option "prefix" of the adapter';

const REFUSED: Readonly<Record<string, string>> = {
  ...TLS_REFUSED,
  keyPrefix: PREFIX,
  prefix: PREFIX,
  readOnly: "tasks are written",
  role: "tasks are written",
};

/** Returns the supported parameters of an address. */
export function parametersOf(query: string): ReadonlyMap<string, string> {
  try {
    return readAddressParameters(query, { used: USED, ignored: IGNORED, refused: REFUSED });
  } catch (error) {
    throw wrong((error as Error).message);
  }
}
