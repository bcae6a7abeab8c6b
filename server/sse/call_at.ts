import type { Clock } from "@taskcast/core/adapter";
import { systemClock } from "@taskcast/core/adapter";

/** A wait that is no longer than this is one timer. */
const EXACT_MS = 1_024;
/** Longest delay of a timer that is a power of two. */
const LONGEST_MS = 2 ** 30;

/**
 * Calls back at a time, however far away.
 *
 * It waits in steps, each the longest power of two that fits. Of a timer that is cleared, Deno
 * keeps some 190 bytes for each length, until a timer of that length would have gone off. Streams
 * come and go, and their tokens may last for days; so there must not be as many lengths as streams.
 *
 * @param atMs Unix milliseconds.
 * @returns Forgets it.
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
