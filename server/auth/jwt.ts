import { TaskcastError } from "@taskcast/core/protocol";
import type { CryptoKey, JWTPayload, JWTVerifyGetKey } from "jose";
import { assertKnownOptions } from "../assert_known_options.ts";
import { claimReader } from "./claims.ts";
import type { Jose } from "./jose.ts";
import { jose } from "./jose.ts";
import { KeySet } from "./key_set.ts";
import type { AuthContext, JwtOptions } from "./options.ts";
import { JWT_ALGORITHMS } from "./options.ts";

/** Time sources of {@linkcode createJwtVerifier}. */
export interface JwtClocks {
  /** Unix milliseconds, for the times in tokens. @default {Date.now} */
  now?: () => number;
  /** Monotonic milliseconds, for the age of keys. @default {performance.now} */
  monotonic?: () => number;
}

const JWT_OPTIONS: Readonly<Record<keyof JwtOptions, true>> = {
  algorithm: true,
  secret: true,
  publicKey: true,
  jwksUrl: true,
  jwksCooldownMs: true,
  jwksMaxAgeMs: true,
  issuer: true,
  audience: true,
  clockToleranceSeconds: true,
  claims: true,
};

/**
 * Returns a function that checks tokens (RFC 7519). Keys are loaded once. Those of a `jwksUrl` are
 * cached, and fetched again when a token names an unknown key.
 *
 * @returns A function that rejects with `UNAUTHORIZED` for an invalid token, and with
 * `KEYS_UNAVAILABLE` if the issuer's keys cannot be fetched.
 * @throws {TypeError} If the options are invalid.
 */
export function createJwtVerifier(
  options: JwtOptions,
  { now = Date.now, monotonic = () => performance.now() }: JwtClocks = {},
): (token: string) => Promise<AuthContext> {
  assertKnownOptions(options, JWT_OPTIONS, "auth.jwt");
  const { algorithm = "HS256", clockToleranceSeconds = 0 } = options;
  const issuer = expected(options.issuer, "issuer");
  const audience = expected(options.audience, "audience");
  if (!(Number.isFinite(clockToleranceSeconds) && clockToleranceSeconds >= 0)) {
    throw new TypeError("auth.jwt.clockToleranceSeconds must be a number of at least 0");
  }
  const rightsOf = claimReader(options.claims);
  const keyOfTokens = keyOf(options, monotonic);
  jose().catch(() => {}); // Loads while the server starts. A failure surfaces with the first token.
  return async (token) => {
    const { errors, jwtVerify } = await jose();
    const key = await keyOfTokens(); // A failure here is not the token's fault.
    let payload: JWTPayload;
    try {
      // jose takes a function for key sets and a key otherwise; here both are one function.
      ({ payload } = await jwtVerify(token, key, {
        algorithms: [algorithm],
        issuer,
        audience,
        clockTolerance: clockToleranceSeconds,
        currentDate: new Date(now()),
      }));
    } catch (error) {
      throw rejection(error, errors);
    }
    return contextOf(payload, rightsOf(payload), clockToleranceSeconds);
  };
}

/**
 * Returns the expected value of a claim. An empty value is refused: the library would accept any
 * claim.
 */
function expected(
  value: string | readonly string[] | undefined,
  name: string,
): string[] | undefined {
  if (value === undefined) return undefined;
  const all: string[] = Array.isArray(value) ? [...value] : [value];
  if (all.length > 0 && all.every((text) => typeof text === "string" && text !== "")) return all;
  throw new TypeError(`auth.jwt.${name} must be a text or a list of texts, none of them empty`);
}

/** Imports the secret once. Given as bytes, it would be imported again for each token. */
function importSecret(secret: string): Promise<CryptoKey> {
  return crypto.subtle.importKey(
    "raw",
    new TextEncoder().encode(secret),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["verify"],
  );
}

function keyOf(options: JwtOptions, monotonic: () => number): () => Promise<JWTVerifyGetKey> {
  const { algorithm = "HS256", secret, publicKey, jwksUrl } = options;
  if (!JWT_ALGORITHMS.includes(algorithm)) {
    throw new TypeError(`auth.jwt.algorithm must be one of ${JWT_ALGORITHMS.join(", ")}`);
  }
  const fixed = (load: () => Promise<CryptoKey | Uint8Array>) => {
    let loaded: Promise<CryptoKey | Uint8Array> | undefined;
    return async () => {
      const key = await (loaded ??= load());
      return (() => key) as unknown as JWTVerifyGetKey;
    };
  };
  if (algorithm === "HS256") {
    if (publicKey !== undefined || jwksUrl !== undefined) {
      throw new TypeError("auth.jwt: HS256 takes a secret, no publicKey and no jwksUrl");
    }
    if (!secret) throw new TypeError("auth.jwt: HS256 needs a secret");
    return fixed(() => importSecret(secret));
  }
  if (secret !== undefined) {
    throw new TypeError(`auth.jwt: ${algorithm} takes a publicKey or a jwksUrl, no secret`);
  }
  if ((publicKey === undefined) === (jwksUrl === undefined)) {
    throw new TypeError(`auth.jwt: ${algorithm} needs either a publicKey or a jwksUrl`);
  }
  if (jwksUrl !== undefined) {
    const { jwksCooldownMs: cooldownMs = 30_000, jwksMaxAgeMs: maxAgeMs = 600_000 } = options;
    for (const [name, value] of Object.entries({ cooldownMs, maxAgeMs })) {
      if (!(value >= 0)) throw new TypeError(`auth.jwt: ${name} of the key set must be at least 0`);
    }
    const keys = new KeySet({ url: new URL(jwksUrl), cooldownMs, maxAgeMs, now: monotonic });
    return () => Promise.resolve(keys.find);
  }
  return fixed(async () => {
    const { importJWK, importSPKI } = await jose();
    const text = publicKey!.trim();
    return text.startsWith("{")
      ? await importJWK(JSON.parse(text), algorithm)
      : await importSPKI(text, algorithm);
  });
}

/** Returns the error for a refused token. The message contains nothing from the token. */
function rejection(error: unknown, errors: Jose["errors"]): unknown {
  const refuse = (problem: string) =>
    new TaskcastError("UNAUTHORIZED", `The token is not valid: ${problem}`, { cause: error });
  if (error instanceof errors.JWTExpired) return refuse("it has expired");
  if (error instanceof errors.JWTClaimValidationFailed) {
    return refuse(`its claim "${error.claim}" has an unexpected value`);
  }
  if (error instanceof errors.JOSEAlgNotAllowed) return refuse("its algorithm is not allowed");
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    return refuse("its signature does not match");
  }
  if (error instanceof errors.JWKSNoMatchingKey) return refuse("its key is not known");
  if (error instanceof errors.JWKSMultipleMatchingKeys) {
    return refuse("it names no key (kid), and several keys match");
  }
  if (error instanceof errors.JWKSInvalid) return refuse("its key cannot be used");
  if (error instanceof errors.JWTInvalid || error instanceof errors.JWSInvalid) {
    return refuse("it is malformed");
  }
  // For example, an extension that every reader must understand (RFC 7515 §4.1.11).
  if (error instanceof errors.JOSENotSupported) {
    return refuse("it requires an unsupported extension");
  }
  // Anything else is the server's fault.
  return error;
}

function contextOf(
  payload: JWTPayload,
  rights: Pick<AuthContext, "taskIds" | "scope">,
  toleranceSeconds: number,
): AuthContext {
  const { sub, exp } = payload;
  const context: AuthContext = { ...rights, claims: payload };
  if (sub !== undefined) context.sub = sub;
  if (exp !== undefined) context.expiresAtMs = (exp + toleranceSeconds) * 1000;
  return context;
}
