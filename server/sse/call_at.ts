import type { Clock } from "@taskcast/core/adapter";
import { systemClock } from "@taskcast/core/adapter";

/** Longest wait for which a single timer is used. */
const EXACT_MS = 1_024;
/** Longest step of a timer, which is a power of two. */
const LONGEST_MS = 2 ** 30;

/**
 * Calls back at a time, however far away.
 *
 * It waits in steps, each the longest power of two that fits. For each distinct delay of a cleared
 * timer, Deno keeps some 190 bytes until a timer of that delay would have fired. Streams come and
 * go, and their tokens may last for days, so there must not be as many delays as streams.
 *
 * @param atMs Unix milliseconds.
 * @returns A function that cancels the call.
 */
export function callAt(
  atMs: number,
  callback: () => void,
  clock: Clock = systemClock,
): () => void {
  let timer: unknown;
  const wait = () => {
    const leftMs = Math.max(0, atMs - clock.now());
    const stepMs = leftMs <= EXACT_MS ? leftMs : 2 ** Math.floor(Math.log2(leftMs));
    timer = clock.setTimeout(
      () => clock.now() < atMs ? wait() : callback(),
      Math.min(stepMs, LONGEST_MS),
    );
  };
  wait();
  return () => clock.clearTimeout(timer);
}
