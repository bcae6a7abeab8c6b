// Events that say in their data, as `at`, when they were sent: by the clock of this process, which
// also reads them.
const decoder = new TextDecoder();

/** Unix milliseconds and what is between them. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

/** When the event of a line was sent; NaN if it does not say so. */
export function sentAtMs(line: Uint8Array): number {
  return Number(/"at":([\d.]+)/.exec(decoder.decode(line))?.[1]);
}

/** Notes how long an event took that says when it was sent. */
export function noteDelay(line: Uint8Array, tookMs: number[]): void {
  const atMs = sentAtMs(line);
  if (!Number.isNaN(atMs)) tookMs.push(nowMs() - atMs);
}
