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
  // What has no letter is no date, though JavaScript would take "-5" for the month of May.
  const ms = /[a-z]/i.test(value) ? Date.parse(value) - Date.now() : Number(value) * 1000;
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

/**
 * How long to wait when the other side has said how long: as long as it asked for, within a bound,
 * and never shorter than without it. So neither a `Retry-After: 0` nor nonsense is a loop without a
 * pause, and nobody can make a client wait for years.
 *
 * @param ownMs The wait if nothing was asked for.
 * @param askedMs What was asked for, whatever it is.
 * @param maxMs What it can make the wait at most.
 */
export function dictatedWaitMs(ownMs: number, askedMs: number | undefined, maxMs: number): number {
  return askedMs! > 0 ? Math.max(ownMs, Math.ceil(Math.min(askedMs!, maxMs))) : ownMs;
}
