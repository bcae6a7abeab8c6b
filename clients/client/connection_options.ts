import type { BackoffOptions } from "./backoff.ts";
import { assertBackoff, assertPositive } from "./backoff.ts";

/** How connections are kept. */
export interface ConnectionOptions extends BackoffOptions {
  /** Milliseconds without a byte after which a connection counts as lost. @default {45000} */
  idleTimeoutMs?: number;
  /**
   * Characters of events that are held: unread ones where the connection does not wait for its
   * reader (EventSource, shared), and, in the tab that has a shared connection, for tabs that come
   * later. What is beyond is fetched again when it is wanted. @default {1000000}
   */
  maxBufferedChars?: number;
  /**
   * Milliseconds in which the tab that has a shared connection must answer; after that (and up to as
   * much again, by chance) another tab takes the connection over. @default {3000}
   */
  takeOverMs?: number;
}

/** The same with its defaults. */
export type FullConnectionOptions =
  & ConnectionOptions
  & Required<Pick<ConnectionOptions, "idleTimeoutMs" | "maxBufferedChars" | "takeOverMs">>;

/** @throws {RangeError} For what is no number from 1. */
export function withDefaults(
  options: ConnectionOptions = {},
): FullConnectionOptions {
  const { idleTimeoutMs = 45_000, maxBufferedChars = 1_000_000, takeOverMs = 3_000 } = options;
  assertBackoff(options);
  const bounds = { idleTimeoutMs, maxBufferedChars, takeOverMs };
  assertPositive(bounds);
  return { ...options, ...bounds };
}
