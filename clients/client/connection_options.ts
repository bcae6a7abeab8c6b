import type { BackoffOptions } from "./backoff.ts";

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
}

/** The same with its defaults. */
export type FullConnectionOptions =
  & ConnectionOptions
  & Required<Pick<ConnectionOptions, "idleTimeoutMs" | "maxBufferedChars">>;

/** @throws {RangeError} For what is no positive number. */
export function withDefaults(
  { idleTimeoutMs = 45_000, maxBufferedChars = 1_000_000, ...rest }: ConnectionOptions = {},
): FullConnectionOptions {
  for (const [name, value] of Object.entries({ idleTimeoutMs, maxBufferedChars })) {
    if (!(value > 0)) throw new RangeError(`${name} is ${value}; it must be greater than 0`);
  }
  return { ...rest, idleTimeoutMs, maxBufferedChars };
}
