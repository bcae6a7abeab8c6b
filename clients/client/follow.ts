import { SSE_EVENT, startTimer } from "@taskcast/core/protocol";
import { onAbort } from "@taskcast/core/protocol";
import { backoffMs, retryDelayMs, sleep, STABLE_MS } from "./backoff.ts";
import type { Connect } from "./connect.ts";
import { Renewal } from "./connect.ts";
import type { ConnectionOptions } from "./connection_options.ts";
import { isFinal } from "./http.ts";
import type { SseMessage } from "./sse_messages.ts";
import type { TaskMessage } from "./task_message.ts";
import { readMessage } from "./task_message.ts";
import { onWake } from "./wake.ts";

/** Part of a task to follow, and its start. */
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
export type Follow = (request: FollowRequest) => AsyncGenerator<TaskMessage, void>;

/**
 * Follows by connections of its own, until the task has ended.
 *
 * @throws {TaskcastHttpError} When the server refuses for good.
 */
export function followBy(connect: Connect, options: ConnectionOptions): Follow {
  return async function* ({ taskId, urlAt, cursor, signal, onReconnect }) {
    let failures = 0;
    let serverRetryMs = 0;
    // The address is right: what answers otherwise from now on is something in between.
    let isMet = cursor !== undefined;
    while (!signal?.aborted) {
      let problem: unknown = new Error("The connection ended before the task did");
      let hasProgress = false;
      const startMs = performance.now();
      try {
        const connection = connect({
          taskId,
          url: urlAt(cursor),
          cursor,
          signal,
          onRetry: (retryMs) => serverRetryMs = retryMs,
        });
        for await (const raw of connection) {
          isMet = true;
          // Before the cursor moves: a damaged message is fetched again.
          const message = readMessage(raw);
          // A server that only ever opens a stream brings the reader no further.
          if (isProgress(message, cursor)) hasProgress = true;
          if (message.id !== undefined) cursor = message.id;
          yield message;
          if (message.event === SSE_EVENT.done || signal?.aborted) return;
        }
      } catch (error) {
        problem = error;
      }
      if (signal?.aborted) return;
      const isStable = performance.now() - startMs >= STABLE_MS;
      if (hasProgress || isStable) failures = 0;
      if (problem instanceof Renewal) {
        if (!hasProgress && !isStable) await sleep(backoffMs(1, options), signal);
        continue;
      }
      if (isFinal(problem, { isMet, failures })) throw problem;
      const delayMs = waitMs(++failures, problem, serverRetryMs, options);
      onReconnect?.(problem, delayMs);
      await pause(delayMs, problem, options, signal);
    }
  };
}

function isProgress({ event, id }: SseMessage, cursor: string | undefined): boolean {
  return id === undefined ? event === SSE_EVENT.event : id !== cursor;
}

/** A server's `retry:` makes the shortest wait longer, unless the options say how long that is. */
function waitMs(
  failures: number,
  problem: unknown,
  serverRetryMs: number,
  { minDelayMs = Math.max(500, serverRetryMs), ...options }: ConnectionOptions,
): number {
  return retryDelayMs(failures, problem, { minDelayMs, ...options });
}

/**
 * Waits for the next attempt; no longer than for the first when the network or the page is back,
 * unless the server itself said how long.
 */
async function pause(
  delayMs: number,
  problem: unknown,
  options: ConnectionOptions,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let forgetTimer = startTimer(delayMs, resolve);
  const forgetAbort = onAbort(signal, resolve);
  const isDictated = ((problem ?? {}) as { retryAfterMs?: number }).retryAfterMs !== undefined;
  const forgetWake = isDictated ? () => {} : onWake(() => {
    forgetWake();
    forgetTimer();
    forgetTimer = startTimer(Math.min(delayMs, backoffMs(1, options)), resolve);
  });
  await promise;
  forgetTimer();
  forgetAbort();
  forgetWake();
}
