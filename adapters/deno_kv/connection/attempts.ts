import { ChangedMeanwhile, isBusy, unavailable, worded } from "../errors.ts";

/** Milliseconds for which something is tried that others change at the same time. */
const MAX_TRYING_MS = 10_000;

/** Milliseconds that a pause between two attempts takes at most. */
const MAX_PAUSE_MS = 100;

/**
 * Tries until nobody has come in between. Pauses grow and are drawn by lot, so that those who were in
 * each other's way are not again.
 *
 * @param attempt Throws {@linkcode ChangedMeanwhile} to be called again.
 * @throws {TaskcastError} `STORE_UNAVAILABLE`, also when others come in between for ten seconds.
 */
export async function untilSettled<T>(attempt: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + MAX_TRYING_MS;
  for (let tried = 1;; tried++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof ChangedMeanwhile) && !isBusy(error)) throw worded(error);
      if (performance.now() > deadline) {
        throw unavailable("others changed it again and again", error);
      }
      if (tried > 1) await pause(Math.random() * Math.min(2 ** tried, MAX_PAUSE_MS));
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
