// Events whose data has the time of sending as `at`, by the clock of this process, which also reads
// them.
const decoder = new TextDecoder();

/** Returns Unix milliseconds with fractions. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

/** Returns the time at which the event of a data line was sent, or NaN. */
export function sentAtMs(line: Uint8Array): number {
  return Number(/"at":([\d.]+)/.exec(decoder.decode(line))?.[1]);
}

/** Appends the delay of an event that has its time of sending. */
export function noteDelay(line: Uint8Array, tookMs: number[]): void {
  const atMs = sentAtMs(line);
  if (!Number.isNaN(atMs)) tookMs.push(nowMs() - atMs);
}
