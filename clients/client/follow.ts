import { SSE_EVENT, startTimer } from "@taskcast/core/protocol";
import { onAbort } from "@taskcast/core/protocol";
import { backoffMs, retryDelayMs, sleep, STABLE_MS } from "./backoff.ts";
import type { Connect } from "./connection/connect.ts";
import { Renewal } from "./connection/connect.ts";
import type { ConnectionOptions } from "./connection/connection_options.ts";
import { isFinal } from "./http.ts";
import type { SseMessage } from "./connection/sse_messages.ts";
import type { TaskMessage } from "./task_message.ts";
import { readMessage } from "./task_message.ts";
import { onWake } from "./wake.ts";

/** Parameters of {@linkcode Follow}. */
export interface FollowRequest {
  /** The task. */
  taskId: string;
  /** Returns the stream's URL, without the cursor, for a reader at a cursor. */
  urlAt: (cursor: string | undefined) => string;
  /** Cursor to resume from. @default the position in the URL */
  cursor?: string;
  /** Ends the stream without an error. */
  signal?: AbortSignal;
  /** Called when a connection failed, with the milliseconds until the next attempt. */
  onReconnect?: (error: unknown, delayMs: number) => void;
}

/**
 * Yields the messages of a task's stream, each once and in order, over as many connections as
 * needed.
 */
export type Follow = (request: FollowRequest) => AsyncGenerator<TaskMessage, void>;

/**
 * Returns a {@linkcode Follow} that opens connections by `connect` until the task has ended.
 *
 * @throws {TaskcastHttpError} If the server refuses for good.
 */
export function followBy(connect: Connect, options: ConnectionOptions): Follow {
  return async function* ({ taskId, urlAt, cursor, signal, onReconnect }) {
    let failures = 0;
    let serverRetryMs = 0;
    // Set once the address is known to be right. A foreign answer then comes from an intermediary.
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
          // Parsed before the cursor moves, so that a damaged message is fetched again.
          const message = readMessage(raw);
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

/** Returns whether a message brings an event or moves the cursor. The opening message does not. */
function isProgress({ event, id }: SseMessage, cursor: string | undefined): boolean {
  return id === undefined ? event === SSE_EVENT.event : id !== cursor;
}

/**
 * Returns the delay before the next attempt. The server's `retry:` raises the minimum delay, unless
 * the options set it.
 */
function waitMs(
  failures: number,
  problem: unknown,
  serverRetryMs: number,
  { minDelayMs = Math.max(500, serverRetryMs), ...options }: ConnectionOptions,
): number {
  return retryDelayMs(failures, problem, { minDelayMs, ...options });
}

/**
 * Waits before the next attempt. When the network or the page is back, the wait is shortened to
 * that before a first attempt, unless the server set the delay.
 */
async function pause(
  delayMs: number,
  problem: unknown,
  options: ConnectionOptions,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let cancelTimer = startTimer(delayMs, resolve);
  const removeAbortListener = onAbort(signal, resolve);
  const isDictated = ((problem ?? {}) as { retryAfterMs?: number }).retryAfterMs !== undefined;
  const removeWakeListener = isDictated ? () => {} : onWake(() => {
    removeWakeListener();
    cancelTimer();
    cancelTimer = startTimer(Math.min(delayMs, backoffMs(1, options)), resolve);
  });
  await promise;
  cancelTimer();
  removeAbortListener();
  removeWakeListener();
}
