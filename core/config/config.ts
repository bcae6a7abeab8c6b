import type { TaskcastHooks } from "../contracts/hooks.ts";
import type { EngineOptions } from "../context/context.ts";
import type { Limits } from "../protocol/limits.ts";
import type { AdaptersConfig } from "./adapters.ts";
import type { AuthConfig, TrustedServiceConfig } from "./auth.ts";
import type { CleanupRule } from "../protocol/cleanup.ts";
import type { SentryConfig } from "./sentry.ts";
import type { WebhookConfig } from "./webhook.ts";

/** Who may read answers from pages of other origins. */
export interface CorsConfig {
  /**
   * `*`, or the origins allowed, each as browsers write it (`https://example.com`, no slash at its
   * end): a list, or a text with commas between.
   */
  origin?: string | string[];
  /** Lets browsers send cookies; not with `*`. @default {false} */
  credentials?: boolean;
  /**
   * Request headers that pages may send besides those that Taskcast reads and those of tracing
   * (`traceparent`, `baggage`, `sentry-trace`), e.g. the ones in the client's option `headers`.
   * @default none
   */
  allowedHeaders?: string[];
  /** Seconds that a browser may remember the answer to a preflight. @default {600} */
  maxAgeSeconds?: number;
}

/** How often one credential may ask; addresses may ten times as often. */
export interface RateLimitConfig {
  /** Requests a second, up to 1 000 000. Without it there is no limit, and `burst` is an error. */
  requestsPerSecond?: number;
  /** Requests that may come at once, up to 1 000 000. @default twice `requestsPerSecond` */
  burst?: number;
}

/** Bounds of what is taken. */
export interface LimitsConfig extends Partial<Limits> {
  /** Bytes of a body at most, and of a line of NDJSON. @default {1048576} */
  maxBodyBytes?: number;
  /** How often one credential may ask. @default as often as it likes */
  rateLimit?: RateLimitConfig;
  /** Open streams of all, up to 9 999 999. @default {10000} */
  maxStreams?: number;
  /** Open streams of one credential, or of an address where there are none. @default any number */
  maxStreamsPerCredential?: number;
  /**
   * Connections of all clients, up to 9 999 999. @default {10000}, or 80 % of the descriptors that the
   * process can have if these are fewer
   */
  maxConnections?: number;
  /**
   * Connections of one address, a /64 network of IPv6. With `Deno.serve` it has no effect.
   * @default 1 000 for public addresses, any number for private ones and behind `trustProxy`
   */
  maxConnectionsPerAddress?: number;
  /** Milliseconds for the headers of a request; with `Deno.serve` without effect. @default {15000} */
  headersTimeoutMs?: number;
  /** Milliseconds without a byte of a body; NDJSON may pause. @default {30000} */
  bodyTimeoutMs?: number;
}

/** Deletes what is old. */
export interface CleanupConfig {
  /** For all tasks. */
  rules?: CleanupRule[];
}

/**
 * The configuration of a Taskcast server: the default export of `taskcast.config.ts`, or the same in
 * YAML or JSON. The command line and the environment go before it.
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
  /** Port to listen on; 0 is any that is free. @default {3721} */
  port?: number;
  /**
   * Address to listen on. @default 127.0.0.1 and ::1 without authentication, else 0.0.0.0
   */
  host?: string;
  /**
   * More names that lead to a server that listens on loopback by default: a list, or a text with
   * commas between. Requests that name another host than these and `localhost` are refused there.
   */
  allowHosts?: string | string[];
  /**
   * The server of HTTP on Deno: `Deno.serve`, or `node:http`, which needs about a third of the
   * memory for each idle reader. On Node there is only the latter. @default that of the runtime
   */
  listener?: "deno" | "node";
  /** The least important messages that are logged. @default {"info"} */
  logLevel?: "debug" | "info" | "warn" | "error";
  /**
   * How messages are logged: for people, or a JSON object a line. @default `pretty` at a terminal,
   * else `json`
   */
  logFormat?: "pretty" | "json";
  /**
   * Proxies of yours before the server, 0 to 10, that add to `X-Forwarded-For`; with 0 nobody
   * believes the header. @default {0}
   */
  trustProxy?: number;
  /**
   * Query parameters that a proxy or a gateway adds, which are not refused though the server does not
   * know them. Those that begin with `_` never are. @default {[]}
   */
  ignoredParameters?: string[];
  /** Who may call. */
  auth?: AuthConfig;
  /**
   * Services by name: the key of each, 16 characters or more, alone for one that may do everything, or
   * with its scope and task ids.
   */
  trustedServices?: Record<string, string | TrustedServiceConfig>;
  /** Signs tickets; the same on all instances. @default derived from the HS256 secret, else random */
  ticketSecret?: string | undefined;
  /**
   * Takes secrets of HS256 tokens and of tickets with fewer than 32 bytes. Whoever sees a token can
   * guess a short one. @default {false}
   */
  allowShortSecrets?: boolean;
  /** Where tasks are kept. @default memory */
  adapters?: AdaptersConfig;
  /** Reports failures to Sentry. */
  sentry?: SentryConfig;
  /** For webhooks. */
  webhook?: WebhookConfig;
  /** Deletes what is old. */
  cleanup?: CleanupConfig;
  /** Pages of other origins. @default they cannot read answers */
  cors?: CorsConfig;
  /** Bounds of what is taken. */
  limits?: LimitsConfig;
  /** Sizes and times of streams and sweeps. */
  engine?: Partial<EngineOptions>;
  /** Called after what they are about is stored; only in TypeScript and JavaScript. */
  hooks?: TaskcastHooks;
}
