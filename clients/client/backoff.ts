import { dictatedWaitMs, startTimer } from "@taskcast/core/protocol";
import { onAbort } from "@taskcast/core/protocol";

/** How long to wait between attempts. */
export interface BackoffOptions {
  /** Milliseconds that the first wait takes at most, from 1. @default {500} */
  minDelayMs?: number;
  /** Milliseconds that any wait takes at most, from 1. @default {30000} */
  maxDelayMs?: number;
  /** Milliseconds that a server's `Retry-After` can make a wait take at most. @default {300000} */
  maxRetryAfterMs?: number;
  /** Numbers in [0, 1); for tests. @default {Math.random} */
  random?: () => number;
}

/**
 * The wait before an attempt: between half of a bound that doubles each time and all of it, so that
 * clients that were cut off together do not come back together.
 *
 * @param attempt Attempts that failed in a row before this one, from 1.
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
 * The wait before an attempt when the server may have said when to come back: as long as it asked
 * for, within `maxRetryAfterMs`, and never shorter than {@linkcode backoffMs}, so that a
 * `Retry-After: 0` is no loop without a pause.
 *
 * @param attempt Attempts that failed in a row before this one, from 1.
 * @param error The reason for the attempt; its `retryAfterMs` counts if it has one.
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
 * Requires numbers from 1: of milliseconds, bytes and characters there are no parts.
 *
 * @throws {RangeError} For the first that is none; what is left out may be.
 */
export function assertPositive(values: Readonly<Record<string, number | undefined>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined && !(typeof value === "number" && value >= 1)) {
      throw new RangeError(`${name} is ${value}; it must be a number from 1`);
    }
  }
}

/**
 * Requires waits that grow: a wait of 0 would double to 0.
 *
 * @throws {RangeError} For what is no number from 1.
 */
export function assertBackoff({ minDelayMs, maxDelayMs, maxRetryAfterMs }: BackoffOptions): void {
  assertPositive({ minDelayMs, maxDelayMs, maxRetryAfterMs });
}

/** Milliseconds after which a connection counts as one that worked, whatever came over it. */
export const STABLE_MS = 10_000;

/** Waits, for ever if it is `Infinity`; an abort ends the wait at once, without an error. */
export async function sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const forgetTimer = startTimer(delayMs, resolve);
  const forgetAbort = onAbort(signal, resolve);
  await promise;
  forgetTimer();
  forgetAbort();
}
