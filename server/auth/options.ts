import type { Scope } from "@taskcast/core/protocol";

/** Signatures that tokens can have. */
export const JWT_ALGORITHMS = ["HS256", "RS256", "ES256", "ES384", "ES512", "EdDSA"] as const;

/** A signature that tokens can have. */
export type JwtAlgorithm = (typeof JWT_ALGORITHMS)[number];

/** How tokens are checked. The algorithm is pinned: a token that names another one is refused. */
export interface JwtOptions {
  /** @default {"HS256"} */
  algorithm?: JwtAlgorithm;
  /** For HS256: the shared secret. RFC 7518 §3.2 asks for 32 bytes or more. */
  secret?: string;
  /** For the others: the public key as PEM (SPKI) or as the JSON text of a JWK. */
  publicKey?: string;
  /** For the others, instead of `publicKey`: where the issuer publishes its keys. */
  jwksUrl?: string;
  /** Milliseconds between two fetches of the key set because of an unknown key. @default {30000} */
  jwksCooldownMs?: number;
  /** The token's `iss` must be this. @default any */
  issuer?: string;
  /** The token's `aud` must be or contain this. @default any */
  audience?: string;
  /** Seconds by which clocks may differ. @default {0} */
  clockToleranceSeconds?: number;
}

/** What a caller may do. */
export interface AuthContext {
  /** Who it is. */
  sub?: string;
  /** The tasks it may touch. */
  taskIds: "*" | readonly string[];
  /** What it may do with them. */
  scope: readonly Scope[];
  /** Whatever else is known, for rules of tasks. */
  claims?: Readonly<Record<string, unknown>>;
  /** Unix milliseconds at which streams that it opened end. */
  expiresAtMs?: number;
  /** It came with a ticket, and the task's rules were checked when that was issued. */
  byTicket?: boolean;
}

/** Finds out who calls; `null` is nobody that is known. */
export type AuthFunction = (
  request: Request,
) => AuthContext | null | Promise<AuthContext | null>;

/** Who may call. */
export type AuthOptions =
  /** Anybody may do everything. */
  | { mode?: "none" }
  /** Who has a valid token: `Authorization: Bearer …`. */
  | { mode: "jwt"; jwt: JwtOptions }
  /** Who the function knows. */
  | { mode: "custom"; authenticate: AuthFunction };

/** Everything: for servers without authentication and for trusted services. */
export const FULL_ACCESS: AuthContext = { taskIds: "*", scope: ["*"] };
