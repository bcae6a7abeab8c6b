import type { BackoffOptions } from "@taskcast/client/http";
import { assertBackoff, retryDelayMs, sleep, TaskcastHttpError } from "@taskcast/client/http";
import { ANSWER_HEADER } from "./answer_names.ts";
import type { AnswerStreamOptions } from "./answer_stream.ts";
import { chunksIn } from "./answer_stream.ts";
import type { ChunkFields } from "./chunks/chunks.ts";
import { OtherAnswerError, ToldChunks } from "./chunks/delivered_chunks.ts";

/** How often and after which waits a stream that broke is resumed. */
export interface ResumeRetryOptions extends BackoffOptions {
  /** Attempts in a row that may fail, or bring nothing new. @default {20} */
  attempts?: number;
  /** Milliseconds that any wait takes at most. @default {10000} */
  maxDelayMs?: number;
}

/**
 * Requires options with which resuming pauses and ends.
 *
 * @throws {RangeError} For attempts that are no whole number from 1, and waits of 0.
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
  /** The answer that is read; without it a stream that breaks cannot be resumed. */
  answer?: string;
  /** Asks for the answer again, from its beginning; 204 says that it is gone. */
  ask: () => Promise<Response>;
  retry: ResumeRetryOptions;
}

/**
 * Reads an answer to its end, over as many connections as that takes: what was read before is told
 * again by the server, and left out here.
 *
 * @throws What broke the first connection, when the answer is gone or cannot be reached any more.
 */
export async function* resumingChunks(
  first: Response,
  options: ResumingOptions,
): AsyncGenerator<ChunkFields, void> {
  const told = new ToldChunks();
  const failures = { inARow: 0 };
  for (let response = first;;) {
    const telling = told.begin();
    const chunks = chunksIn(response.body!, options);
    try {
      for (;;) {
        const { done, value } = await chunks.next();
        if (done) {
          telling.end();
          return;
        }
        const fresh = telling.freshOf(value);
        if (fresh === undefined) continue;
        failures.inARow = 0;
        yield fresh;
      }
    } catch (error) {
      options.signal.throwIfAborted();
      if (error instanceof OtherAnswerError || options.answer === undefined) throw error;
      response = await askAgain(error, failures, options);
    } finally {
      await chunks.return();
    }
  }
}

/** Asks for the answer until it comes. */
async function askAgain(
  broken: unknown,
  failures: { inARow: number },
  { answer, ask, retry, signal }: ResumingOptions,
): Promise<Response> {
  const { attempts = 20, maxDelayMs = 10_000, ...waits } = retry;
  let problem = broken;
  while (failures.inARow < attempts) {
    failures.inARow++;
    await sleep(retryDelayMs(failures.inARow, problem, { maxDelayMs, ...waits }), signal);
    signal.throwIfAborted();
    try {
      const response = await ask();
      if (response.status === 204) break;
      if (response.headers.get(ANSWER_HEADER) === answer && response.body !== null) return response;
      await response.body?.cancel();
    } catch (error) {
      signal.throwIfAborted();
      // Anything else may be said by something in between, while the server is away.
      if (error instanceof TaskcastHttpError && !error.transient) throw error;
      problem = error;
    }
  }
  throw broken;
}
