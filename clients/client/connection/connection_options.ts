import type { BackoffOptions } from "../backoff.ts";
import { assertBackoff, assertPositive } from "../backoff.ts";

/** How connections are kept. */
export interface ConnectionOptions extends BackoffOptions {
  /** Milliseconds without a byte after which a connection counts as lost. @default {45000} */
  idleTimeoutMs?: number;
  /**
   * Maximum number of buffered characters of events: unread ones where the connection cannot pause
   * for its reader (EventSource, shared), and, in the tab that holds a shared connection, those
   * kept for tabs that join later. Events beyond it are fetched again on demand. @default {1000000}
   */
  maxBufferedChars?: number;
  /**
   * Milliseconds in which the tab that holds a shared connection must answer. After that, and a
   * random extra of at most the same time, another tab takes the connection over. @default {3000}
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
