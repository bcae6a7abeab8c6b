// @ts-types="@types/sinonjs__fake-timers"
import { createClock } from "@sinonjs/fake-timers";
import type { Clock } from "@taskcast/core/adapter";

/** A clock that stands still until it is told otherwise. */
export interface FakeClock extends Clock {
  /** Lets time pass, with everything that happens meanwhile. */
  pass(ms: number): Promise<void>;
  /** Timers that wait. */
  readonly timers: number;
}

export function fakeClock(startMs = 1_700_000_000_000): FakeClock {
  const clock = createClock(startMs);
  return {
    now: () => clock.now,
    setTimeout: (callback, delayMs) => clock.setTimeout(callback, delayMs),
    clearTimeout: (timer) => clock.clearTimeout(timer as never),
    async pass(ms) {
      await clock.tickAsync(ms);
    },
    get timers() {
      return clock.countTimers();
    },
  };
}
