import { Deadlines } from "./deadlines.ts";

/** Bounds of a body. */
export interface BodyLimits {
  /** Maximum size in bytes. */
  maxBytes: number;
  /** Maximum milliseconds without a byte, for messages. */
  timeoutMs: number;
  /** Enforces the time. */
  deadlines: Deadlines;
}

/** The longest delay of a timer; a longer one fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Returns the bounds that the options set.
 *
 * @throws {TypeError} If no timer can wait for that time.
 */
export function bodyLimitsOf(
  { maxBodyBytes = 1024 * 1024, bodyTimeoutMs = 30_000 }: {
    maxBodyBytes?: number;
    bodyTimeoutMs?: number;
  },
): BodyLimits {
  if (!(bodyTimeoutMs >= 1 && bodyTimeoutMs <= MAX_TIMER_MS)) {
    throw new TypeError(`bodyTimeoutMs must be a number from 1 to ${MAX_TIMER_MS}`);
  }
  return {
    maxBytes: maxBodyBytes,
    timeoutMs: bodyTimeoutMs,
    deadlines: new Deadlines(bodyTimeoutMs),
  };
}
