import type { TaskEngine } from "@taskcast/core";
import type { AuthOptions, TrustedServices } from "./auth/mod.ts";
import type { ClientAddress, RateLimitOptions, StreamLimits } from "./limits/mod.ts";
import type { CorsOptions } from "./origins/cors.ts";
import type { AnsweredRequest } from "./requests/observe_requests.ts";
import type { AdapterNames } from "./routes/server.ts";

/** Options for {@linkcode createTaskcastApp}. */
export interface TaskcastAppOptions extends StreamLimits {
  /** The engine behind the API. It belongs to the host, which closes it. */
  engine: TaskEngine;
  /** Authentication mode. @default {{ mode: "none" }} */
  auth?: AuthOptions;
  /**
   * Services by name: the key that each sends as `X-Taskcast-Service-Key`. A key alone grants full
   * access; an object adds a scope and task ids.
   */
  trustedServices?: TrustedServices;
  /** Names of the engine's adapters, which `/health/detail` shows. @default none */
  providers?: AdapterNames;
  /**
   * Secret that signs tickets; the same on all instances. @default derived from the HS256 secret,
   * else random
   */
  ticketSecret?: string;
  /**
   * Accepts secrets of fewer than 32 bytes for HS256 tokens and for tickets. A short secret can be
   * guessed by anybody that has a token. @default {false}
   */
  allowShortSecrets?: boolean;
  /** Origins whose pages may call. @default none: pages of other origins cannot read answers */
  cors?: CorsOptions;
  /** Maximum size in bytes of a body, and of a line of NDJSON. @default {1048576} */
  maxBodyBytes?: number;
  /**
   * Milliseconds without a byte after which reading a body fails with 408. A body of at most 16 KiB
   * must be complete within this time. Streams of NDJSON may pause for any time. @default {30000}
   */
  bodyTimeoutMs?: number;
  /**
   * Query parameters of your own functions or of a proxy, which the API then ignores instead of
   * refusing. Names that begin with `_` are always ignored. @default {[]}
   */
  ignoredParameters?: readonly string[];
  /** Called with each answer when it begins, for a log. Must not throw. */
  onAnswered?: (answered: AnsweredRequest) => void;
  /**
   * Called, for a log, with the origin of each preflight and each stream that `cors` does not
   * allow. Must not throw.
   */
  onOriginRefused?: (origin: string) => void;
  /** Limits on the rate of requests. @default none: unlimited */
  rateLimit?: RateLimitOptions;
  /**
   * Returns the address of a request's client, for the limits. Headers are not read by default:
   * behind proxies of your own, use {@linkcode forwardedAddress}. @default none: addresses are not
   * limited
   */
  clientAddress?: ClientAddress;
}
