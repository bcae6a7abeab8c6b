import { TaskcastError } from "@taskcast/core/protocol";
import type { Context } from "hono";
import { assertKnownOptions } from "../assert_known_options.ts";
import { addressKey } from "./client_address.ts";
import { rateLimited } from "./rate_limited.ts";
import type { Rate } from "./rate_limiter.ts";
import { RateLimiter } from "./rate_limiter.ts";

/**
 * Returns the address of a request's client, or `undefined` if it is not known. A web-standard
 * request does not contain it, so the host supplies it.
 */
export type ClientAddress = (request: Request, context: Context) => string | undefined;

/** Rates of requests, for each credential and for each client address. */
export interface RateLimitOptions extends Rate {
  /**
   * Rate of requests from one address, whoever sends them. @default ten times the rate of a
   * credential, since many callers may share an address; without authentication, the same rate
   */
  perAddress?: Rate | false;
  /**
   * Rate of failed authentications from one address. Beyond it, requests from there are refused
   * before their credentials are checked. @default {{ requestsPerSecond: 1, burst: 20 }}
   */
  failedAuthentications?: Rate | false;
  /** Maximum number of credentials, and of addresses, in memory. @default {10000} */
  maxBuckets?: number;
  /** Monotonic milliseconds. @default {performance.now} */
  now?: () => number;
}

/** Options of {@linkcode RequestLimits}. */
export interface RequestLimitsOptions {
  /** @default none: unlimited */
  rateLimit?: RateLimitOptions;
  /** @default none: addresses are not limited */
  clientAddress?: ClientAddress;
  /** Authentication is off, so callers can be told apart only by address. */
  open: boolean;
}

const RATE_OPTIONS: Readonly<Record<keyof Rate, true>> = { requestsPerSecond: true, burst: true };

const RATE_LIMIT_OPTIONS: Readonly<Record<keyof RateLimitOptions, true>> = {
  ...RATE_OPTIONS,
  perAddress: true,
  failedAuthentications: true,
  maxBuckets: true,
  now: true,
};

/** The limit that refused a request. */
export type RateReason = "credential" | "address" | "failures";

/** Refuses requests that exceed a rate. */
export class RequestLimits {
  readonly #clientAddress?: ClientAddress;
  readonly #credentials?: RateLimiter;
  readonly #addresses?: RateLimiter;
  readonly #failures?: RateLimiter;
  readonly #refused: Record<RateReason, number> = { credential: 0, address: 0, failures: 0 };

  /** @throws {TypeError} If the options are invalid. */
  constructor({ rateLimit, clientAddress, open }: RequestLimitsOptions) {
    this.#clientAddress = clientAddress;
    if (rateLimit === undefined) return;
    if (typeof rateLimit !== "object" || rateLimit === null) {
      throw new TypeError("rateLimit must be an object with requestsPerSecond");
    }
    assertKnownOptions(rateLimit, RATE_LIMIT_OPTIONS, "rateLimit");
    if (open && clientAddress === undefined) {
      throw new TypeError(
        "rateLimit: without authentication callers are known by their address, so clientAddress " +
          "is needed",
      );
    }
    const {
      maxBuckets = 10_000,
      now = () => performance.now(),
      perAddress = open ? rateLimit : tenfold(rateLimit),
      failedAuthentications = { requestsPerSecond: 1, burst: 20 },
    } = rateLimit;
    if (rateLimit.perAddress) {
      assertKnownOptions(rateLimit.perAddress, RATE_OPTIONS, "rateLimit.perAddress");
    }
    if (failedAuthentications) {
      assertKnownOptions(
        failedAuthentications,
        RATE_OPTIONS,
        "rateLimit.failedAuthentications",
      );
    }
    const make = (rate: Rate | false, name: string) =>
      rate === false ? undefined : new RateLimiter(rate, { name, maxBuckets, now });
    this.#credentials = make(rateLimit, "rateLimit");
    this.#addresses = make(perAddress, "rateLimit.perAddress");
    this.#failures = make(failedAuthentications, "rateLimit.failedAuthentications");
  }

  /** Number of requests refused so far, by limit. */
  get refused(): Readonly<Record<RateReason, number>> {
    return this.#refused;
  }

  /** Set if any limit needs the client's address. Otherwise it need not be determined. */
  get countsAddresses(): boolean {
    return this.#addresses !== undefined || this.#failures !== undefined;
  }

  /** Returns the key under which a request's address is counted. */
  addressOf(request: Request, context: Context): string | undefined {
    const address = this.#clientAddress?.(request, context);
    return address === undefined ? undefined : addressKey(address);
  }

  /** Counts a request from an address. @throws {TaskcastError} `RATE_LIMITED`. */
  countAddress(address: string | undefined): void {
    if (address === undefined) return;
    this.#refuse(this.#addresses?.take(address), "Too many requests from this address", "address");
  }

  /** Counts a request of a credential. @throws {TaskcastError} `RATE_LIMITED`. */
  countCredential(credential: string | undefined): void {
    if (credential === undefined) return;
    this.#refuse(
      this.#credentials?.take(credential),
      "Too many requests from this caller",
      "credential",
    );
  }

  /**
   * Authenticates a request. After too many failures from an address, credentials are not
   * checked: the answer would reveal whether a guess was right.
   *
   * @throws {TaskcastError} `RATE_LIMITED`, or whatever `authenticate` throws.
   */
  authenticate<T>(
    address: string | undefined,
    authenticate: () => T | Promise<T>,
  ): T | Promise<T> {
    const failures = this.#failures;
    if (failures === undefined || address === undefined) return authenticate();
    return this.#authenticate(failures, address, authenticate);
  }

  async #authenticate<T>(
    failures: RateLimiter,
    address: string,
    authenticate: () => T | Promise<T>,
  ): Promise<T> {
    this.#refuse(
      failures.waitMs(address),
      "Too many failed authentications from this address",
      "failures",
    );
    try {
      return await authenticate();
    } catch (error) {
      // Several attempts may have run concurrently; each failure counts.
      if (error instanceof TaskcastError && error.code === "UNAUTHORIZED") failures.charge(address);
      throw error;
    }
  }

  #refuse(waitMs: number | undefined, message: string, reason: RateReason): void {
    if (waitMs === undefined || waitMs === 0) return;
    this.#refused[reason]++;
    throw rateLimited(`${message}: try again in ${Math.ceil(waitMs)} ms`, waitMs, reason);
  }
}

function tenfold({ requestsPerSecond, burst }: Rate): Rate {
  return { requestsPerSecond: 10 * requestsPerSecond, burst: burst && 10 * burst };
}
