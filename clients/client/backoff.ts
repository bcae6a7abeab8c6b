/** How long to wait between attempts. */
export interface BackoffOptions {
  /** Milliseconds that the first wait takes at most. @default {500} */
  minDelayMs?: number;
  /** Milliseconds that any wait takes at most. @default {30000} */
  maxDelayMs?: number;
  /** Numbers in [0, 1); for tests. @default {Math.random} */
  random?: () => number;
}

/**
 * The wait before an attempt: anything from nothing to a bound that doubles each time, so that
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
 * assert.deepEqual([1, 2, 5, 9].map((n) => backoffMs(n, options)), [50, 100, 500, 500]);
 * ```
 */
export function backoffMs(attempt: number, options: BackoffOptions = {}): number {
  const { minDelayMs = 500, maxDelayMs = 30_000, random = Math.random } = options;
  const bound = Math.min(maxDelayMs, minDelayMs * 2 ** Math.min(attempt - 1, 30));
  return random() * bound;
}

/** Waits; an abort ends the wait at once, without an error. */
export async function sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, delayMs);
  const stop = () => resolve();
  signal?.addEventListener("abort", stop, { once: true });
  await promise;
  clearTimeout(timer);
  signal?.removeEventListener("abort", stop);
}
