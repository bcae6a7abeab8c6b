import type { Scope } from "../protocol/task.ts";

/** Signatures that tokens can have. */
export const JWT_ALGORITHMS = ["HS256", "RS256", "ES256", "ES384", "ES512", "EdDSA"] as const;

/** A signature that tokens can have. */
export type JwtAlgorithm = (typeof JWT_ALGORITHMS)[number];

/** What a caller may do. */
export interface AuthContext {
  /** Who it is. */
  sub?: string;
  /** What limits count its requests and streams under. @default `sub` */
  credential?: string;
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
  /** The incarnation that its ticket is for: it opens streams of no other. Set with `byTicket`. */
  incarnation?: string;
}

/**
 * Finds out who calls; `null` is nobody that is known. It may read the request's body, which is then
 * held in memory: up to `maxBodyBytes`, and never that of a stream of lines (NDJSON).
 */
export type AuthFunction = (
  request: Request,
) => AuthContext | null | Promise<AuthContext | null>;
