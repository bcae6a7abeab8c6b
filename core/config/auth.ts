import type { Scope } from "../protocol/task.ts";

/** The signature algorithms that tokens may use. */
export const JWT_ALGORITHMS = ["HS256", "RS256", "ES256", "ES384", "ES512", "EdDSA"] as const;

/** A signature algorithm that tokens may use. */
export type JwtAlgorithm = (typeof JWT_ALGORITHMS)[number];

/** The identity and the rights of a caller. */
export interface AuthContext {
  /** The subject. */
  sub?: string;
  /** The key under which limits count its requests and streams. @default `sub` */
  credential?: string;
  /** The tasks it may access. */
  taskIds: "*" | readonly string[];
  /** The operations it may perform on them. */
  scope: readonly Scope[];
  /** Other claims, for the rules of tasks. */
  claims?: Readonly<Record<string, unknown>>;
  /** Unix milliseconds at which its rights expire and its streams end. */
  expiresAtMs?: number;
  /** Authenticated by a ticket; the rules of the task were checked when the ticket was issued. */
  byTicket?: boolean;
  /** The incarnation its ticket is for; it opens streams of no other. Set with `byTicket`. */
  incarnation?: string;
}

/**
 * Authenticates a request; `null` rejects it. The function may read the body, which is then buffered
 * in memory up to `maxBodyBytes`; the body of an NDJSON stream is never available.
 */
export type AuthFunction = (
  request: Request,
) => AuthContext | null | Promise<AuthContext | null>;
