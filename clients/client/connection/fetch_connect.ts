import type { DoneMessage } from "@taskcast/core/protocol";
import { decodeCursor, isTerminal, SSE_EVENT } from "@taskcast/core/protocol";
import type { Connect, ConnectRequest } from "./connect.ts";
import { streamHeaders } from "./connect.ts";
import { getTask } from "../get_task.ts";
import type { HttpClient } from "../http.ts";
import { TaskcastHttpError } from "../http.ts";
import { IdleTimer } from "./idle_timer.ts";
import type { SseMessage } from "./sse_messages.ts";
import { sseMessages } from "./sse_messages.ts";

/** The runtime's `fetch` delivers answers only as a whole, so a stream would never arrive. */
export class NoStreamError extends TaskcastHttpError {
  constructor(response: Response) {
    super(response, {
      code: "NOT_SUPPORTED",
      message: "fetch does not stream here, and there is no EventSource; give the client a fetch " +
        "that streams",
    });
  }
}

/** Connects by `fetch`, which sends the token as a header and exposes the status of a refusal. */
export function fetchConnect(http: HttpClient, idleTimeoutMs: number): Connect {
  return async function* (request) {
    const { url, cursor, signal, onRetry } = request;
    const idle = new IdleTimer(idleTimeoutMs, signal);
    try {
      const response = await http.request(url, {
        headers: streamHeaders(cursor),
        cache: "no-store",
        signal: idle.signal,
      });
      if (response.status === 204) {
        yield await endOf(http, request, response);
        return;
      }
      await assertEventStream(response);
      if (typeof response.body?.getReader !== "function") throw new NoStreamError(response);
      const hints = { signal: idle.signal, onActivity: () => idle.restart(), onRetry };
      for await (const message of sseMessages(response.body, hints)) {
        idle.pause(); // The time that the consumer takes does not count as silence.
        yield message;
        idle.restart();
      }
    } finally {
      idle.close();
    }
  };
}

/**
 * Returns the final message of a task whose stream was answered with 204. The server answers so if
 * the cursor is already at the end; the reason is read from the task.
 *
 * @param response The 204. A proxy may have sent it, so the cursor and the task are checked.
 * @throws {TaskcastHttpError} If the answer is not the server's, or if the task was deleted.
 */
export async function endOf(
  http: HttpClient,
  { taskId, cursor }: ConnectRequest,
  response: Response,
): Promise<SseMessage> {
  // Later versions may use cursors that cannot be decoded here.
  const isAtEnd = cursor !== undefined && (decodeCursor(cursor)?.kind ?? "done") === "done";
  if (isAtEnd) {
    const { status } = await getTask(http, taskId);
    const done = { reason: status } as DoneMessage;
    if (isTerminal(status)) return { event: SSE_EVENT.done, data: JSON.stringify(done) };
  }
  throw new TaskcastHttpError(response);
}

async function assertEventStream(response: Response): Promise<void> {
  if (response.headers.get("content-type")?.startsWith("text/event-stream")) return;
  await response.body?.cancel();
  throw new TaskcastHttpError(response);
}
