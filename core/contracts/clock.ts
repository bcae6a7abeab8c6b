import { MAX_TIMER_MS, startTimer } from "../protocol/timer.ts";

/** The engine's source of time. Tests inject a fake one. */
export interface Clock {
  /** Unix time in milliseconds. */
  now(): number;
  /**
   * Calls `callback` once after `delayMs`, never if that is `Infinity`; the timer does not keep the
   * process alive.
   */
  setTimeout(callback: () => void, delayMs: number): unknown;
  /** Cancels a timer. */
  clearTimeout(timer: unknown): void;
}

/** The system clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout: (callback, delayMs) => {
    // Few are so long, and the others cost no more for it.
    if (delayMs > MAX_TIMER_MS) return { forget: startTimer(delayMs, callback, unref) };
    const timer: unknown = setTimeout(callback, delayMs);
    unref(timer);
    return timer;
  },
  clearTimeout: (timer) => {
    if (isLong(timer)) timer.forget();
    else clearTimeout(timer as number);
  },
};

function isLong(timer: unknown): timer is { forget: () => void } {
  return typeof timer === "object" && timer !== null && "forget" in timer;
}

// Timers are objects with `unref()` on Node and numbers on Deno and in browsers.
function unref(timer: unknown): void {
  if (typeof timer === "object" && timer !== null && "unref" in timer) {
    (timer as { unref(): void }).unref();
  } else {
    const deno = (globalThis as { Deno?: { unrefTimer?(id: number): void } }).Deno;
    deno?.unrefTimer?.(timer as number);
  }
}
