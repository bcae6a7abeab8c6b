import type { BackoffOptions } from "@taskcast/client/http";
import { assertBackoff, retryDelayMs, sleep, TaskcastHttpError } from "@taskcast/client/http";
import { ANSWER_HEADER } from "./answer_names.ts";
import type { AnswerStreamOptions } from "./answer_stream.ts";
import { chunksIn } from "./answer_stream.ts";
import type { ChunkFields } from "./chunks/chunks.ts";
import { DeliveredChunks, OtherAnswerError } from "./chunks/delivered_chunks.ts";

/** Options for resuming a broken stream. */
export interface ResumeRetryOptions extends BackoffOptions {
  /** Number of consecutive attempts that may fail or bring nothing new. @default {20} */
  attempts?: number;
  /** Maximum delay in milliseconds. @default {10000} */
  maxDelayMs?: number;
}

/**
 * Checks the options for resuming.
 *
 * @throws {RangeError} If the attempts are not a whole number from 1, or if a delay is below 1.
 */
export function assertResumeRetry(options: ResumeRetryOptions): void {
  assertBackoff(options);
  const { attempts } = options;
  if (attempts !== undefined && !(Number.isInteger(attempts) && attempts >= 1)) {
    throw new RangeError(`attempts is ${attempts}; it must be a whole number from 1`);
  }
}

/** Options for {@linkcode resumingChunks}. */
export interface ResumingOptions extends AnswerStreamOptions {
  /** Id of the answer. Without it, a broken stream is not resumed. */
  answer?: string;
  /** Requests the answer from its beginning; a 204 means that it no longer exists. */
  requestAgain: () => Promise<Response>;
  retry: ResumeRetryOptions;
}

/**
 * Yields the chunks of an answer to its end, over as many connections as needed. The server repeats
 * the answer from its beginning each time; chunks that were already delivered are left out.
 *
 * @throws The error of the broken connection, if the answer is gone or the attempts are exhausted.
 */
export async function* resumingChunks(
  first: Response,
  options: ResumingOptions,
): AsyncGenerator<ChunkFields, void> {
  const delivered = new DeliveredChunks();
  const failures = { inARow: 0 };
  for (let response = first;;) {
    const delivery = delivered.begin();
    const chunks = chunksIn(response.body!, options);
    try {
      for (;;) {
        const { done, value } = await chunks.next();
        if (done) {
          delivery.end();
          return;
        }
        const fresh = delivery.freshOf(value);
        if (fresh === undefined) continue;
        failures.inARow = 0;
        yield fresh;
      }
    } catch (error) {
      options.signal.throwIfAborted();
      if (error instanceof OtherAnswerError || options.answer === undefined) throw error;
      response = await resumeAgain(error, failures, options);
    } finally {
      await chunks.return();
    }
  }
}

/** Requests the answer, with delays, until a response has it or the attempts are exhausted. */
async function resumeAgain(
  broken: unknown,
  failures: { inARow: number },
  { answer, requestAgain, retry, signal }: ResumingOptions,
): Promise<Response> {
  const { attempts = 20, maxDelayMs = 10_000, ...waits } = retry;
  let problem = broken;
  while (failures.inARow < attempts) {
    failures.inARow++;
    await sleep(retryDelayMs(failures.inARow, problem, { maxDelayMs, ...waits }), signal);
    signal.throwIfAborted();
    try {
      const response = await requestAgain();
      if (response.status === 204) break;
      if (response.headers.get(ANSWER_HEADER) === answer && response.body !== null) return response;
      await response.body?.cancel();
    } catch (error) {
      signal.throwIfAborted();
      // Anything but a refusal may come from an intermediary during an outage.
      if (error instanceof TaskcastHttpError && !error.transient) throw error;
      problem = error;
    }
  }
  throw broken;
}
