import type { BackoffOptions } from "../backoff.ts";
import { assertBackoff, assertPositive } from "../backoff.ts";

/** Options for keeping and restoring connections. */
export interface ConnectionOptions extends BackoffOptions {
  /** Milliseconds without a byte after which a connection counts as lost. @default {45000} */
  idleTimeoutMs?: number;
  /**
   * Maximum number of characters of buffered events. Unread events are buffered where the
   * connection has no back-pressure (EventSource, shared); the tab that holds a shared connection
   * also keeps events for tabs that join later. Events beyond the bound are fetched again on
   * demand. @default {1000000}
   */
  maxBufferedChars?: number;
  /**
   * Milliseconds within which the tab that holds a shared connection must answer. After that and a
   * random delay of at most the same length, another tab takes the connection over. @default {3000}
   */
  takeOverMs?: number;
}

/** Connection options with their defaults. */
export type FullConnectionOptions =
  & ConnectionOptions
  & Required<Pick<ConnectionOptions, "idleTimeoutMs" | "maxBufferedChars" | "takeOverMs">>;

/** Applies the defaults. @throws {RangeError} If a value is below 1. */
export function withDefaults(
  options: ConnectionOptions = {},
): FullConnectionOptions {
  const { idleTimeoutMs = 45_000, maxBufferedChars = 1_000_000, takeOverMs = 3_000 } = options;
  assertBackoff(options);
  const bounds = { idleTimeoutMs, maxBufferedChars, takeOverMs };
  assertPositive(bounds);
  return { ...options, ...bounds };
}
