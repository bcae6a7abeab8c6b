import type { TaskEngine } from "@taskcast/core";
import type { AuthOptions, TrustedServices } from "./auth/mod.ts";
import type { ClientAddress, RateLimitOptions, StreamLimits } from "./limits/mod.ts";
import type { CorsOptions } from "./origins/cors.ts";
import type { AnsweredRequest } from "./requests/observe_requests.ts";
import type { AdapterNames } from "./routes/server.ts";

/** Options for {@linkcode createTaskcastApp}. */
export interface TaskcastAppOptions extends StreamLimits {
  /** Does the work. It belongs to the host, who closes it. */
  engine: TaskEngine;
  /** Authentication of callers. @default {{ mode: "none" }} */
  auth?: AuthOptions;
  /**
   * Services by name: the key that each sends as `X-Taskcast-Service-Key`, alone for one that may
   * do everything, or with its scope and task ids.
   */
  trustedServices?: TrustedServices;
  /** Names of the engine's adapters, which `/health/detail` shows. @default none */
  providers?: AdapterNames;
  /** Signs tickets; the same on all instances. @default derived from the HS256 secret, else random */
  ticketSecret?: string;
  /**
   * Takes secrets of HS256 tokens and of tickets with fewer than 32 bytes. Whoever sees a token can
   * guess a short one. @default {false}
   */
  allowShortSecrets?: boolean;
  /** Which pages of other origins may call. @default none: pages of other origins cannot read answers */
  cors?: CorsOptions;
  /** Bytes of a body at most, and of a line of NDJSON. @default {1048576} */
  maxBodyBytes?: number;
  /**
   * Milliseconds without a byte after which a body is given up with 408; one of at most 16 KiB must
   * be complete by then. Streams of NDJSON may pause for as long as they like. @default {30000}
   */
  bodyTimeoutMs?: number;
  /**
   * Query parameters that are not refused though they are not ours: what a function of yours or a
   * proxy reads. Those that begin with `_` never are. @default {[]}
   */
  ignoredParameters?: readonly string[];
  /** Told of each answer when it begins, for a log. Must not throw. */
  onAnswered?: (answered: AnsweredRequest) => void;
  /**
   * Told, for a log, of pages that ask in vain: of the origin of each preflight and each stream
   * that `cors` does not allow. Must not throw.
   */
  onOriginRefused?: (origin: string) => void;
  /** How often requests may come. @default none: as often as they want */
  rateLimit?: RateLimitOptions;
  /**
   * Where a request comes from, for the limits. Headers are not looked at: behind proxies of your
   * own use {@linkcode forwardedAddress}. @default none: addresses are not limited
   */
  clientAddress?: ClientAddress;
}
