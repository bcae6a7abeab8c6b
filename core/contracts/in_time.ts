import type { Clock } from "./clock.ts";

/** The timers of the platform. They keep the process alive until the answer has come. */
const PLATFORM_TIMERS: Pick<Clock, "setTimeout" | "clearTimeout"> = {
  setTimeout: (callback, delayMs) => setTimeout(callback, delayMs),
  clearTimeout: (timer) => clearTimeout(timer as number),
};

/**
 * Waits for an answer for a limited time. The work behind it goes on when the time is over.
 *
 * @param late Called when the time is over; returns the error to reject with.
 */
export async function inTime<T>(
  answer: Promise<T>,
  timeoutMs: number,
  late: () => Error,
  timers: Pick<Clock, "setTimeout" | "clearTimeout"> = PLATFORM_TIMERS,
): Promise<T> {
  let timer: unknown;
  const overdue = new Promise<never>((_, reject) => {
    timer = timers.setTimeout(() => reject(late()), timeoutMs);
  });
  try {
    return await Promise.race([answer, overdue]);
  } finally {
    timers.clearTimeout(timer);
  }
}
