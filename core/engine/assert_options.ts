import { assertCount } from "../domain/validate/query.ts";
import type { Limits } from "../protocol/limits.ts";
import type { EngineOptions } from "../context/context.ts";

type Bounds<Options> = Partial<Record<keyof Options, readonly [min: number, max: number]>>;

/** The longest delay of a timer; with a longer one it would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The longest period: a time plus a period must be a time that stores can keep, as far as a Date goes. */
const MAX_PERIOD_MS = 8.64e15;

/** The bounds of options whose minimum is not 1 or that have a maximum. */
const ENGINE_BOUNDS: Bounds<EngineOptions> = {
  tailBytes: [0, Number.MAX_SAFE_INTEGER],
  heartbeatMs: [1, MAX_TIMER_MS],
  pollMs: [1, MAX_TIMER_MS],
  storeRetryMs: [1, MAX_TIMER_MS],
  sweepMs: [0, MAX_PERIOD_MS],
  archiveDelayMs: [0, MAX_PERIOD_MS],
  hotRetentionMs: [0, MAX_PERIOD_MS],
  cleanupSearchMs: [1, MAX_PERIOD_MS],
  archivePercent: [10, 100],
};

/**
 * Requires sizes and times within their bounds.
 *
 * @throws {TaskcastError} `INVALID_INPUT`.
 */
export function assertEngineOptions(options: EngineOptions): void {
  assertCounts(options, "options", ENGINE_BOUNDS);
}

/**
 * Requires limits that are positive integers.
 *
 * @throws {TaskcastError} `INVALID_INPUT`.
 */
export function assertLimits(limits: Limits): void {
  assertCounts(limits, "limits", {});
}

function assertCounts<Options extends object>(
  options: Options,
  path: string,
  bounds: Bounds<Options>,
): void {
  for (const [name, value] of Object.entries(options)) {
    const [min, max] = bounds[name as keyof Options] ?? [1, Number.MAX_SAFE_INTEGER];
    assertCount(value, `${path}.${name}`, min, max);
  }
}
