import type { AuthContext, AuthFunction, JwtAlgorithm, JwtClaims } from "@taskcast/core/config";
import type { Scope } from "@taskcast/core/protocol";

export type { AuthContext, AuthFunction, JwtAlgorithm, JwtClaims } from "@taskcast/core/config";
export { JWT_ALGORITHMS } from "@taskcast/core/config";

/** How tokens are checked. The algorithm is pinned: a token that names another one is refused. */
export interface JwtOptions {
  /** Signature algorithm that tokens must have. @default {"HS256"} */
  algorithm?: JwtAlgorithm;
  /** Shared secret, for HS256. RFC 7518 §3.2 requires at least 32 bytes. */
  secret?: string;
  /** Public key for the other algorithms, as PEM (SPKI) or as the JSON text of a JWK. */
  publicKey?: string;
  /** URL of the issuer's key set, for the other algorithms; instead of `publicKey`. */
  jwksUrl?: string;
  /** Milliseconds between two fetches of the key set for unknown keys. @default {30000} */
  jwksCooldownMs?: number;
  /** Milliseconds after which the key set is fetched again. @default {600000} */
  jwksMaxAgeMs?: number;
  /** The token's `iss` must be this, or one of these. @default any */
  issuer?: string | readonly string[];
  /** The token's `aud` must be or contain this, or one of these. @default any */
  audience?: string | readonly string[];
  /** Tolerated clock difference in seconds. @default {0} */
  clockToleranceSeconds?: number;
  /** Claims that carry permissions. @default {{ scope: "scope", taskIds: "taskIds" }} */
  claims?: JwtClaims;
}

/** Authentication mode. */
export type AuthOptions =
  /** No authentication: every caller may do everything. */
  | { mode?: "none" }
  /** Callers send a valid token: `Authorization: Bearer …`. */
  | { mode: "jwt"; jwt: JwtOptions }
  /** A function of the host authenticates callers. */
  | { mode: "custom"; authenticate: AuthFunction };

/** A service that authenticates with a key, and its permissions. */
export interface TrustedService {
  /** Sent as `X-Taskcast-Service-Key`; at least 16 characters. */
  key: string;
  /** Scopes of the service. @default all scopes */
  scope?: readonly Scope[];
  /** Ids of the tasks that the service may access. @default all tasks */
  taskIds?: "*" | readonly string[];
}

/** Full access, for servers without authentication and for trusted services. */
export const FULL_ACCESS: AuthContext = { taskIds: "*", scope: ["*"] };
