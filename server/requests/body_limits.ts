import { Deadlines } from "./deadlines.ts";

/** Bounds of a body. */
export interface BodyLimits {
  /** Bytes at most. */
  maxBytes: number;
  /** Milliseconds without a byte at most, for messages. */
  timeoutMs: number;
  /** Keeps to them. */
  deadlines: Deadlines;
}

/** The longest delay of a timer; a longer one fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * The bounds that options say.
 *
 * @throws {TypeError} For a time that no timer can keep.
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
