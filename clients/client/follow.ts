import { SSE_EVENT } from "@taskcast/core/protocol";
import { retryDelayMs, sleep, STABLE_MS } from "./backoff.ts";
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
      const startMs = performance.now();
      try {
        const connection = connect({
          taskId,
          url: urlAt(cursor),
          cursor,
          signal,
          onRetry: (retryMs) => serverRetryMs = retryMs,
        });
        for await (const message of connection) {
          // A server that only ever opens a stream brings the reader no further.
          if (isProgress(message, cursor)) failures = 0;
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
      if (performance.now() - startMs >= STABLE_MS) failures = 0;
      const delayMs = waitMs(++failures, problem, serverRetryMs, options);
      onReconnect?.(problem, delayMs);
      await sleep(delayMs, signal);
    }
  };
}

function isProgress({ event, id }: SseMessage, cursor: string | undefined): boolean {
  return id === undefined ? event === SSE_EVENT.event : id !== cursor;
}

/** A server's `retry:` is the shortest wait, unless the options say another; never none at all. */
function waitMs(
  failures: number,
  problem: unknown,
  serverRetryMs: number | undefined,
  { minDelayMs = serverRetryMs === undefined ? undefined : Math.max(1, serverRetryMs), ...options }:
    ConnectionOptions,
): number {
  return retryDelayMs(failures, problem, { minDelayMs, ...options });
}
