import { SSE_EVENT } from "@taskcast/core/protocol";
import { backoffMs, sleep } from "./backoff.ts";
import type { Connect } from "./connect.ts";
import { Renewal } from "./connect.ts";
import type { ConnectionOptions } from "./connection_options.ts";
import { TaskcastHttpError } from "./http.ts";
import type { SseMessage } from "./sse_messages.ts";

/** What of a task is followed, and where from. */
export interface FollowRequest {
  /** The task. */
  taskId: string;
  /** The stream's URL, without the cursor, for a reader who is at a cursor. */
  urlAt: (cursor: string | undefined) => string;
  /** Where to go on. @default where the URL says */
  cursor?: string;
  /** Ends it, without an error. */
  signal?: AbortSignal;
  /** A connection failed; another will be made after the wait. */
  onReconnect?: (error: unknown, delayMs: number) => void;
}

/** The messages of a task's stream, once and in order, over as many connections as it takes. */
export type Follow = (request: FollowRequest) => AsyncGenerator<SseMessage, void>;

/**
 * Follows by connections of its own, until the task has ended.
 *
 * @throws {TaskcastHttpError} When the server refuses for good.
 */
export function followBy(connect: Connect, options: ConnectionOptions): Follow {
  return async function* ({ taskId, urlAt, cursor, signal, onReconnect }) {
    let failures = 0;
    let serverRetryMs: number | undefined;
    while (!signal?.aborted) {
      let problem: unknown = new Error("The connection ended before the task did");
      try {
        const connection = connect({
          taskId,
          url: urlAt(cursor),
          cursor,
          signal,
          onRetry: (retryMs) => serverRetryMs = retryMs,
        });
        for await (const message of connection) {
          failures = 0;
          if (message.id !== undefined) cursor = message.id;
          yield message;
          if (message.event === SSE_EVENT.done || signal?.aborted) return;
        }
      } catch (error) {
        if (signal?.aborted) return;
        if (error instanceof Renewal) continue;
        if (error instanceof TaskcastHttpError && !error.transient) throw error;
        problem = error;
      }
      if (signal?.aborted) return;
      const delayMs = waitMs(++failures, problem, serverRetryMs, options);
      onReconnect?.(problem, delayMs);
      await sleep(delayMs, signal);
    }
  };
}

function waitMs(
  failures: number,
  problem: unknown,
  serverRetryMs: number | undefined,
  { minDelayMs = serverRetryMs, ...options }: ConnectionOptions,
): number {
  if (problem instanceof TaskcastHttpError && problem.retryAfterMs !== undefined) {
    return problem.retryAfterMs;
  }
  return backoffMs(failures, { minDelayMs, ...options });
}
