import type { Scope } from "@taskcast/core/protocol";
import { SCOPES, TaskcastError } from "@taskcast/core/protocol";
import type { CryptoKey, JWTPayload, JWTVerifyGetKey, KeyObject } from "jose";
import { createRemoteJWKSet, errors, importJWK, importSPKI, jwtVerify } from "jose";
import type { AuthContext, JwtOptions } from "./options.ts";
import { JWT_ALGORITHMS } from "./options.ts";

/**
 * Makes a function that checks tokens (RFC 7519). Keys are loaded once; those of a `jwksUrl` are
 * remembered and fetched again when a token names one that is not known.
 *
 * @returns A function that rejects with `UNAUTHORIZED` for every token that is not valid.
 * @throws {TypeError} For options that cannot work.
 */
export function createJwtVerifier(options: JwtOptions): (token: string) => Promise<AuthContext> {
  const { algorithm = "HS256", issuer, audience, clockToleranceSeconds = 0 } = options;
  const key = keyOf(options);
  return async (token) => {
    let payload: JWTPayload;
    try {
      // With a key set jose asks for the key of each token; both kinds of key are one function here.
      ({ payload } = await jwtVerify(token, await key(), {
        algorithms: [algorithm],
        issuer,
        audience,
        clockTolerance: clockToleranceSeconds,
      }));
    } catch (error) {
      throw rejection(error);
    }
    return contextOf(payload, clockToleranceSeconds);
  };
}

type Key = CryptoKey | KeyObject | Uint8Array;

function keyOf(options: JwtOptions): () => Promise<JWTVerifyGetKey> {
  const { algorithm = "HS256", secret, publicKey, jwksUrl, jwksCooldownMs } = options;
  if (!JWT_ALGORITHMS.includes(algorithm)) {
    throw new TypeError(`auth.jwt.algorithm must be one of ${JWT_ALGORITHMS.join(", ")}`);
  }
  const fixed = (load: () => Promise<Key>) => {
    let loaded: Promise<Key> | undefined;
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
    return fixed(() => Promise.resolve(new TextEncoder().encode(secret)));
  }
  if (secret !== undefined) {
    throw new TypeError(`auth.jwt: ${algorithm} takes a publicKey or a jwksUrl, no secret`);
  }
  if ((publicKey === undefined) === (jwksUrl === undefined)) {
    throw new TypeError(`auth.jwt: ${algorithm} needs either a publicKey or a jwksUrl`);
  }
  if (jwksUrl !== undefined) {
    const keys = createRemoteJWKSet(new URL(jwksUrl), { cooldownDuration: jwksCooldownMs });
    return () => Promise.resolve(keys);
  }
  return fixed(async () => {
    const text = publicKey!.trim();
    return text.startsWith("{")
      ? await importJWK(JSON.parse(text), algorithm)
      : await importSPKI(text, algorithm);
  });
}

/** Says what is wrong with a token in words of ours, which cannot hold any of its contents. */
function rejection(error: unknown): unknown {
  const refuse = (problem: string) =>
    new TaskcastError("UNAUTHORIZED", `The token is not valid: ${problem}`, { cause: error });
  if (error instanceof errors.JWTExpired) return refuse("it has expired");
  if (error instanceof errors.JWTClaimValidationFailed) {
    return refuse(`its claim "${error.claim}" is not what is expected`);
  }
  if (error instanceof errors.JOSEAlgNotAllowed) return refuse("its algorithm is not allowed");
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    return refuse("its signature does not match");
  }
  if (error instanceof errors.JWKSTimeout) {
    return new Error("The key set of auth.jwt.jwksUrl could not be fetched", { cause: error });
  }
  if (error instanceof errors.JWKSNoMatchingKey) return refuse("its key is not known");
  if (error instanceof errors.JWTInvalid || error instanceof errors.JWSInvalid) {
    return refuse("it is malformed");
  }
  // Anything else is the server's: a key that cannot be loaded, a key set that cannot be fetched.
  return error;
}

function contextOf(payload: JWTPayload, toleranceSeconds: number): AuthContext {
  const { sub, exp, taskIds, scope } = payload;
  const context: AuthContext = {
    taskIds: taskIdsOf(taskIds),
    scope: scopesOf(scope),
    claims: payload,
  };
  if (sub !== undefined) context.sub = sub;
  if (exp !== undefined) context.expiresAtMs = (exp + toleranceSeconds) * 1000;
  return context;
}

/** Absent means none. A text that is not `*` is refused: it would be matched by its parts. */
function taskIdsOf(claim: unknown): "*" | readonly string[] {
  if (claim === undefined) return [];
  if (claim === "*") return "*";
  if (Array.isArray(claim) && claim.every((id) => typeof id === "string")) {
    return claim.includes("*") ? "*" : claim;
  }
  throw new TaskcastError(
    "UNAUTHORIZED",
    'The token is not valid: its claim "taskIds" must be "*" or an array of ids',
  );
}

/** Scopes that are not known grant nothing, so they are left out. */
function scopesOf(claim: unknown): readonly Scope[] {
  if (claim === undefined) return [];
  const words = typeof claim === "string" ? claim.split(" ") : claim;
  if (Array.isArray(words) && words.every((word) => typeof word === "string")) {
    return SCOPES.filter((scope) => words.includes(scope));
  }
  throw new TaskcastError(
    "UNAUTHORIZED",
    'The token is not valid: its claim "scope" must be an array or a text with spaces between',
  );
}
