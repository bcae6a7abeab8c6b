import { TaskcastError } from "@taskcast/core/protocol";
import type { JSONWebKeySet, JWTVerifyGetKey } from "jose";
import type { Jose } from "./jose.ts";
import { jose } from "./jose.ts";

/** How an issuer's keys are fetched and for how long they are believed. */
export interface KeySetOptions {
  /** Where they are. */
  url: URL;
  /** Milliseconds between two fetches because of an unknown key. */
  cooldownMs: number;
  /** Milliseconds after which keys are fetched again, so that one that was taken back is noticed. */
  maxAgeMs: number;
  /** Monotonic milliseconds. */
  now: () => number;
}

/** How long keys are believed while the issuer cannot be asked whether they still hold. */
const MAX_UNCHECKED_MS = 24 * 3_600_000;

/** Milliseconds after a fetch that failed, if the cooldown is longer: nobody gets in meanwhile. */
const RETRY_MS = 5_000;

/** How long one fetch may take. */
const TIMEOUT_MS = 5_000;

/** Bytes of a key set at most. */
const MAX_BYTES = 1024 * 1024;

type GetKey = ReturnType<Jose["createLocalJWKSet"]>;

/**
 * Keys that an issuer publishes (RFC 7517 §5). All that look for a key share one fetch, and fetches
 * are apart by the cooldown, so that tokens with keys that nobody knows cost the issuer nothing.
 *
 * While the issuer is away the keys that are known go on, for a day; jose's own set would refuse
 * them after ten minutes, and ask anew with each request.
 */
export class KeySet {
  readonly #options: KeySetOptions;
  #keys?: GetKey;
  #fetchedAtMs = -Infinity;
  #triedAtMs = -Infinity;
  /** Why the newest fetch failed. */
  #failure?: unknown;
  #fetching?: Promise<void>;

  constructor(options: KeySetOptions) {
    this.#options = options;
  }

  /**
   * Finds the key of a token.
   *
   * @throws {TaskcastError} `KEYS_UNAVAILABLE` when it is not known whether there is such a key.
   * @throws {errors.JWKSNoMatchingKey} When there is none.
   * @throws {errors.JWKSMultipleMatchingKeys} When the token names none, and several would do.
   * @throws {errors.JWKSInvalid} When the issuer's key is none that can be used.
   */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    await this.#keepFresh();
    const { errors } = await jose();
    try {
      return await this.#known(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      // It may be new. Whoever comes while others fetch takes what they get.
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
    // An issuer that hangs must not make every request wait while the keys are good enough.
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

  /** Never rejects: what went wrong is kept for whoever cannot do without. */
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
    redirect: "manual", // Keys come from where the settings say, or not at all.
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
