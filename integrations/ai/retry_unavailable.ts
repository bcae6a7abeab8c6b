import { retryDelayMs, sleep } from "@taskcast/client/http";
import { TaskcastError } from "@taskcast/core/protocol";

/** Maximum number of attempts while the store cannot be reached, over about eight seconds. */
const ATTEMPTS = 6;

/** Runs an idempotent operation, and retries it while the store cannot be reached. */
export async function retryUnavailable<T>(act: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  for (let attempt = 1;; attempt++) {
    try {
      return await act();
    } catch (error) {
      const isTransient = error instanceof TaskcastError && error.code === "STORE_UNAVAILABLE";
      if (!isTransient || attempt >= ATTEMPTS || signal?.aborted) throw error;
      await sleep(retryDelayMs(attempt, error), signal);
    }
  }
}
