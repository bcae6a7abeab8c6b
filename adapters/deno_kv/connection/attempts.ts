import { ChangedMeanwhile, isBusy, toTaskcastError, unavailable } from "../errors.ts";

/** Milliseconds of retries against concurrent changes. */
const MAX_TRYING_MS = 10_000;

/** Maximum milliseconds between two attempts. */
const MAX_PAUSE_MS = 100;

/**
 * Retries while concurrent changes interfere. Pauses grow and are random, so that competing writers
 * do not collide again.
 *
 * @param attempt Throws {@linkcode ChangedMeanwhile} to be called again.
 * @throws {TaskcastError} `STORE_UNAVAILABLE`, also after ten seconds of interference.
 */
export async function retryUntilUnchanged<T>(attempt: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + MAX_TRYING_MS;
  for (let tried = 1;; tried++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof ChangedMeanwhile) && !isBusy(error)) throw toTaskcastError(error);
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
