import { dictatedWaitMs, startTimer } from "@taskcast/core/protocol";
import { onAbort } from "@taskcast/core/protocol";

/** Options for the delays between attempts. */
export interface BackoffOptions {
  /** Maximum of the first delay in milliseconds, from 1. @default {500} */
  minDelayMs?: number;
  /** Maximum of any delay in milliseconds, from 1. @default {30000} */
  maxDelayMs?: number;
  /** Maximum delay in milliseconds that a server's `Retry-After` can cause. @default {300000} */
  maxRetryAfterMs?: number;
  /** Returns numbers in [0, 1); for tests. @default {Math.random} */
  random?: () => number;
}

/**
 * Returns the delay before an attempt: a random value between half of a bound that doubles each time
 * and the bound itself. Clients that were disconnected together thus do not reconnect together.
 *
 * @param attempt Number of consecutive failed attempts before this one, from 1.
 * @returns Milliseconds.
 *
 * @example
 * ```ts
 * import { backoffMs } from "@taskcast/client/http";
 * import assert from "node:assert/strict";
 *
 * const options = { minDelayMs: 100, maxDelayMs: 1000, random: () => 0.5 };
 * assert.deepEqual([1, 2, 5, 9].map((n) => backoffMs(n, options)), [75, 150, 750, 750]);
 * ```
 */
export function backoffMs(attempt: number, options: BackoffOptions = {}): number {
  const { minDelayMs = 500, maxDelayMs = 30_000, random = Math.random } = options;
  const bound = Math.min(maxDelayMs, minDelayMs * 2 ** Math.min(attempt - 1, 30));
  return bound * (0.5 + random() / 2);
}

/**
 * Returns the delay before an attempt: the server's `Retry-After` up to `maxRetryAfterMs`, and at
 * least the delay of {@linkcode backoffMs}. A `Retry-After: 0` thus causes no loop without a pause.
 *
 * @param attempt Number of consecutive failed attempts before this one, from 1.
 * @param error The error of the last attempt; its `retryAfterMs` is used if it has one.
 * @returns Milliseconds.
 */
export function retryDelayMs(
  attempt: number,
  error: unknown,
  options: BackoffOptions = {},
): number {
  const { maxRetryAfterMs = 300_000 } = options;
  const { retryAfterMs } = (error ?? {}) as { retryAfterMs?: number };
  return dictatedWaitMs(backoffMs(attempt, options), retryAfterMs, maxRetryAfterMs);
}

/**
 * Checks that each value is omitted or a number of at least 1.
 *
 * @throws {RangeError} For the first value that is neither.
 */
export function assertPositive(values: Readonly<Record<string, number | undefined>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined && !(typeof value === "number" && value >= 1)) {
      throw new RangeError(`${name} is ${value}; it must be a number from 1`);
    }
  }
}

/**
 * Checks that the delays are at least 1: a delay of 0 would double to 0.
 *
 * @throws {RangeError} For a number below 1.
 */
export function assertBackoff({ minDelayMs, maxDelayMs, maxRetryAfterMs }: BackoffOptions): void {
  assertPositive({ minDelayMs, maxDelayMs, maxRetryAfterMs });
}

/** Milliseconds after which an open connection counts as successful, even if nothing arrived. */
export const STABLE_MS = 10_000;

/** Waits, for ever if the delay is `Infinity`. An abort ends the wait at once, without an error. */
export async function sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const cancelTimer = startTimer(delayMs, resolve);
  const removeAbortListener = onAbort(signal, resolve);
  await promise;
  cancelTimer();
  removeAbortListener();
}
