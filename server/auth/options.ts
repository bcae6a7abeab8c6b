import type { AuthContext, AuthFunction, JwtAlgorithm, JwtClaims } from "@taskcast/core/config";
import type { Scope } from "@taskcast/core/protocol";

export type { AuthContext, AuthFunction, JwtAlgorithm, JwtClaims } from "@taskcast/core/config";
export { JWT_ALGORITHMS } from "@taskcast/core/config";

/** How tokens are checked. The algorithm is pinned: a token that names another one is refused. */
export interface JwtOptions {
  /** The signature that tokens must have. @default {"HS256"} */
  algorithm?: JwtAlgorithm;
  /** For HS256: the shared secret. RFC 7518 §3.2 asks for 32 bytes or more. */
  secret?: string;
  /** For the others: the public key as PEM (SPKI) or as the JSON text of a JWK. */
  publicKey?: string;
  /** For the others, instead of `publicKey`: where the issuer publishes its keys. */
  jwksUrl?: string;
  /** Milliseconds between two fetches of the key set because of an unknown key. @default {30000} */
  jwksCooldownMs?: number;
  /** Milliseconds after which the key set is fetched again anyway. @default {600000} */
  jwksMaxAgeMs?: number;
  /** The token's `iss` must be this, or one of these. @default any */
  issuer?: string | readonly string[];
  /** The token's `aud` must be or contain this, or one of these. @default any */
  audience?: string | readonly string[];
  /** Seconds by which clocks may differ. @default {0} */
  clockToleranceSeconds?: number;
  /** Where tokens say what their bearers may do. @default {{ scope: "scope", taskIds: "taskIds" }} */
  claims?: JwtClaims;
}

/** Authentication mode with its options. */
export type AuthOptions =
  /** Anybody may do everything. */
  | { mode?: "none" }
  /** Callers with a valid token: `Authorization: Bearer …`. */
  | { mode: "jwt"; jwt: JwtOptions }
  /** Callers that the function accepts. */
  | { mode: "custom"; authenticate: AuthFunction };

/** A service that is known by its key, and what it may do. */
export interface TrustedService {
  /** Sent as `X-Taskcast-Service-Key`: 16 characters or more. */
  key: string;
  /** Scopes that it holds. @default everything */
  scope?: readonly Scope[];
  /** The tasks it may touch. @default all */
  taskIds?: "*" | readonly string[];
}

/** Everything: for servers without authentication and for trusted services. */
export const FULL_ACCESS: AuthContext = { taskIds: "*", scope: ["*"] };
