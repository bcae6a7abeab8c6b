/** The engine's source of time. Tests inject a fake one. */
export interface Clock {
  /** Unix time in milliseconds. */
  now(): number;
  /** Calls `callback` once after `delayMs`; the timer does not keep the process alive. */
  setTimeout(callback: () => void, delayMs: number): unknown;
  /** Cancels a timer. */
  clearTimeout(timer: unknown): void;
}

/** The system clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout: (callback, delayMs) => {
    const timer: unknown = setTimeout(callback, delayMs);
    unref(timer);
    return timer;
  },
  clearTimeout: (timer) => clearTimeout(timer as number),
};

// Timers are objects with `unref()` on Node and numbers on Deno and in browsers.
function unref(timer: unknown): void {
  if (typeof timer === "object" && timer !== null && "unref" in timer) {
    (timer as { unref(): void }).unref();
  } else {
    const deno = (globalThis as { Deno?: { unrefTimer?(id: number): void } }).Deno;
    deno?.unrefTimer?.(timer as number);
  }
}
