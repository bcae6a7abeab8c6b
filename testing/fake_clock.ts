// @ts-types="@types/sinonjs__fake-timers"
import { createClock } from "@sinonjs/fake-timers";
import type { Clock } from "@taskcast/core/adapter";

/** A clock whose time passes only on request. */
export interface FakeClock extends Clock {
  /** Lets time pass and runs everything that is due. */
  pass(ms: number): Promise<void>;
  /** Lets time pass in which nothing runs, as while a process is frozen; timers then run once, late. */
  freeze(ms: number): void;
  /** Number of pending timers. */
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
    freeze(ms) {
      clock.jump(ms);
    },
    get timers() {
      return clock.countTimers();
    },
  };
}
