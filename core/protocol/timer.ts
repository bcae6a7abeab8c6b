/** The longest delay of a platform's timer, almost 25 days; a longer one fires at once. */
export const MAX_TIMER_MS = 2_147_483_647;

/**
 * Calls back once after a number of milliseconds that may come from anywhere: at once for 0 and
 * less, never for `Infinity` and `NaN`, and on time for what is longer than a platform's timer.
 *
 * @param onArmed Gets each timer that is set, e.g. to take its hold of the process away.
 * @returns Forgets it.
 */
export function startTimer(
  delayMs: number,
  callback: () => void,
  onArmed?: (timer: ReturnType<typeof setTimeout>) => void,
): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const arm = (leftMs: number) => {
    const stepMs = Math.min(leftMs, MAX_TIMER_MS);
    timer = setTimeout(() => stepMs < leftMs ? arm(leftMs - stepMs) : callback(), stepMs);
    onArmed?.(timer);
  };
  if (delayMs < Infinity) arm(Math.max(0, delayMs));
  return () => clearTimeout(timer);
}

/**
 * Reads a `Retry-After` header (RFC 9110, section 10.2.3): seconds, which may have a fraction here,
 * or a date.
 *
 * @returns Milliseconds from now, at least 0; `undefined` for anything else.
 */
export function parseRetryAfter(value: string | null | undefined): number | undefined {
  if (!value) return undefined;
  // A text without letters is not a date, although JavaScript parses "-5" as the month of May.
  const ms = /[a-z]/i.test(value) ? Date.parse(value) - Date.now() : Number(value) * 1000;
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

/**
 * Returns how long to wait if the other side asked for a delay: the requested delay within a bound, and
 * never less than without the request. So neither `Retry-After: 0` nor an invalid value causes a loop
 * without a pause, and no server can make a client wait for years.
 *
 * @param ownMs The wait if nothing was asked for.
 * @param askedMs The requested delay; may be any number.
 * @param maxMs Upper bound of the requested delay.
 */
export function dictatedWaitMs(ownMs: number, askedMs: number | undefined, maxMs: number): number {
  return askedMs! > 0 ? Math.max(ownMs, Math.ceil(Math.min(askedMs!, maxMs))) : ownMs;
}
