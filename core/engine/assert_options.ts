import { assertCount } from "../domain/validate/query.ts";
import type { Limits } from "../protocol/limits.ts";
import type { EngineOptions } from "../context/context.ts";

type Bounds<Options> = Partial<Record<keyof Options, readonly [min: number, max: number]>>;

/** A timer that would have to wait for longer does not wait at all. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** What is added to a time must leave one that stores can keep, so it is as far as a Date goes. */
const MAX_PERIOD_MS = 8.64e15;

/** What is not 1 or more. */
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

/** @throws {TaskcastError} `INVALID_INPUT` for a size or a time that an engine cannot work with. */
export function assertEngineOptions(options: EngineOptions): void {
  assertCounts(options, "options", ENGINE_BOUNDS);
}

/** @throws {TaskcastError} `INVALID_INPUT` for a limit that is none. */
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
