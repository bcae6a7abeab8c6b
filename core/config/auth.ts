import type { AuthFunction, JwtAlgorithm } from "../contracts/auth.ts";
import type { Scope } from "../protocol/task.ts";

/**
 * Where tokens say what their bearers may do, for issuers that name claims in their own way. A name
 * may lead into a claim: `realm_access.roles`.
 */
export interface JwtClaims {
  /** The claim with the scopes, or several, all of which count. @default {"scope"} */
  scope?: string | string[];
  /**
   * The claim with the ids of tasks. `*`: every token is for all tasks, and its scopes decide.
   * @default {"taskIds"}
   */
  taskIds?: string;
  /** What scopes begin with in tokens, as in `taskcast/task:create`; others do not count. @default {""} */
  prefix?: string;
}

/** How tokens are checked. One of `secret`, `publicKey`, `publicKeyFile` and `jwksUrl` is needed. */
export interface JwtConfig {
  /** The signature that every token must have. @default {"HS256"} */
  algorithm?: JwtAlgorithm;
  /** For HS256: the shared secret, 32 bytes or more. */
  secret?: string | undefined;
  /** For the others: the public key as PEM (SPKI) or as the JSON text of a JWK. */
  publicKey?: string | undefined;
  /** A file with the same, relative to the configuration file. */
  publicKeyFile?: string | undefined;
  /** For the others: where the issuer publishes its keys. */
  jwksUrl?: string | undefined;
  /** Milliseconds between two fetches of the key set because of an unknown key. @default {30000} */
  jwksCooldownMs?: number;
  /** Milliseconds after which the key set is fetched again anyway. @default {600000} */
  jwksMaxAgeMs?: number;
  /** The token's `iss` must be this, or one of these. @default any */
  issuer?: string | string[] | undefined;
  /** The token's `aud` must be or contain this, or one of these. @default any */
  audience?: string | string[] | undefined;
  /** Seconds by which clocks may differ. @default {0} */
  clockToleranceSeconds?: number;
  /** Where tokens say what their bearers may do. @default {{ scope: "scope", taskIds: "taskIds" }} */
  claims?: JwtClaims;
}

/** Who may call. */
export interface AuthConfig {
  /**
   * `none`: anybody may do everything. `jwt`: who has a valid token. `custom`: who the function
   * `custom` knows. @default {"none"}
   */
  mode?: "none" | "jwt" | "custom";
  /** For the mode `jwt`. */
  jwt?: JwtConfig;
  /** For the mode `custom`; only in TypeScript and JavaScript. */
  custom?: AuthFunction;
}

/** A service that is known by its key, and what it may do. */
export interface TrustedServiceConfig {
  /** 16 characters or more. */
  key: string;
  /** What it may do. @default everything */
  scope?: Scope[];
  /** The tasks it may touch. @default all */
  taskIds?: "*" | string[];
}
