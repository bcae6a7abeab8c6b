import { TaskcastError } from "@taskcast/core/protocol";
import type { JSONWebKeySet, JWTVerifyGetKey } from "jose";
import type { Jose } from "./jose.ts";
import { jose } from "./jose.ts";

/** How an issuer's keys are fetched and how long they are trusted. */
export interface KeySetOptions {
  /** URL of the key set. */
  url: URL;
  /** Milliseconds between two fetches for unknown keys. */
  cooldownMs: number;
  /** Milliseconds after which keys are fetched again, which notices revoked ones. */
  maxAgeMs: number;
  /** Monotonic milliseconds. */
  now: () => number;
}

/** How long keys are trusted while the issuer cannot be reached. */
const MAX_UNCHECKED_MS = 24 * 3_600_000;

/**
 * Milliseconds until the next fetch after a failed one, if the cooldown is longer: nobody new can
 * authenticate meanwhile.
 */
const RETRY_MS = 5_000;

/** Timeout of a fetch. */
const TIMEOUT_MS = 5_000;

/** Maximum size of a key set in bytes. */
const MAX_BYTES = 1024 * 1024;

type GetKey = ReturnType<Jose["createLocalJWKSet"]>;

/**
 * The keys that an issuer publishes (RFC 7517 §5). Concurrent lookups share one fetch, and the
 * cooldown separates fetches, so tokens with unknown keys put no load on the issuer. While the
 * issuer is unreachable, known keys stay valid for a day. jose's own set would refuse them after
 * ten minutes and fetch on every request.
 */
export class KeySet {
  readonly #options: KeySetOptions;
  #keys?: GetKey;
  #fetchedAtMs = -Infinity;
  #triedAtMs = -Infinity;
  /** The error of the newest fetch, if it failed. */
  #failure?: unknown;
  #fetching?: Promise<void>;

  constructor(options: KeySetOptions) {
    this.#options = options;
  }

  /**
   * Finds the key of a token.
   *
   * @throws {TaskcastError} `KEYS_UNAVAILABLE` if it is not known whether the key exists.
   * @throws {errors.JWKSNoMatchingKey} If there is no such key.
   * @throws {errors.JWKSMultipleMatchingKeys} If the token names no key and several match.
   * @throws {errors.JWKSInvalid} If the issuer's key cannot be used.
   */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    await this.#keepFresh();
    const { errors } = await jose();
    try {
      return await this.#known(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      // The key may be new. A lookup during a fetch uses that fetch's result.
      if (this.#fetching === undefined && this.#cooling()) {
        if (this.#failure !== undefined) throw unavailable(this.#failure);
        throw error;
      }
      await this.#fetch();
      if (this.#failure !== undefined) throw unavailable(this.#failure);
      return await this.#known(header, token);
    }
  };

  async #known(...args: Parameters<GetKey>): Promise<Awaited<ReturnType<GetKey>>> {
    const ageMs = this.#options.now() - this.#fetchedAtMs;
    if (this.#keys === undefined || ageMs > MAX_UNCHECKED_MS) throw unavailable(this.#failure);
    const { errors } = await jose();
    try {
      return await this.#keys(...args);
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey) throw error;
      if (error instanceof errors.JWKSMultipleMatchingKeys) throw error;
      throw new errors.JWKSInvalid("The key cannot be used", { cause: error });
    }
  }

  async #keepFresh(): Promise<void> {
    const ageMs = this.#options.now() - this.#fetchedAtMs;
    if (ageMs < this.#options.maxAgeMs) return;
    const usable = this.#keys !== undefined && ageMs <= MAX_UNCHECKED_MS;
    if (this.#fetching === undefined && this.#cooling() && this.#failure !== undefined) return;
    const fetching = this.#fetch();
    // An issuer that hangs must not delay requests while the known keys can still be trusted.
    if (!usable || this.#failure === undefined) await fetching;
  }

  #cooling(): boolean {
    const { now, cooldownMs } = this.#options;
    const pauseMs = this.#failure === undefined ? cooldownMs : Math.min(cooldownMs, RETRY_MS);
    return now() - this.#triedAtMs < pauseMs;
  }

  #fetch(): Promise<void> {
    return this.#fetching ??= this.#load().finally(() => this.#fetching = undefined);
  }

  /**
   * Fetches the keys. Never rejects: keeps the error for lookups that cannot do without the fetch.
   */
  async #load(): Promise<void> {
    const { now, url } = this.#options;
    try {
      const { createLocalJWKSet } = await jose();
      this.#keys = createLocalJWKSet(await fetchKeySet(url));
      this.#fetchedAtMs = now();
      this.#failure = undefined;
    } catch (error) {
      this.#failure = error;
    }
    this.#triedAtMs = now();
  }
}

async function fetchKeySet(url: URL): Promise<JSONWebKeySet> {
  const response = await fetch(url, {
    headers: { accept: "application/json" },
    redirect: "manual", // Keys come from the configured URL or not at all.
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`The key set answers with status ${response.status}`);
  }
  return JSON.parse(await readText(response)) as JSONWebKeySet;
}

async function readText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) throw new Error(`The key set has more than ${MAX_BYTES} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function unavailable(cause: unknown): TaskcastError {
  return new TaskcastError(
    "KEYS_UNAVAILABLE",
    "The token cannot be checked, since the keys of its issuer cannot be fetched: try again",
    { cause },
  );
}
