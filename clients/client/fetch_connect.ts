import type { DoneMessage, TaskDetail } from "@taskcast/core/protocol";
import { isTerminal, SSE_EVENT, taskPath } from "@taskcast/core/protocol";
import type { Connect } from "./connect.ts";
import { STREAM_ACCEPT } from "./connect.ts";
import type { HttpClient } from "./http.ts";
import { TaskcastHttpError } from "./http.ts";
import { IdleTimer } from "./idle_timer.ts";
import type { SseMessage } from "./sse_messages.ts";
import { sseMessages } from "./sse_messages.ts";

/** This runtime reads answers only as a whole, so a stream would never be heard of. */
export class NoStreamError extends TaskcastHttpError {
  constructor(response: Response) {
    super(response, {
      code: "NOT_SUPPORTED",
      message: "fetch does not stream here, and there is no EventSource; give the client a fetch " +
        "that streams",
    });
  }
}

/** Connections by `fetch`, which sends the token as a header and tells why it was refused. */
export function fetchConnect(http: HttpClient, idleTimeoutMs: number): Connect {
  return async function* ({ taskId, url, cursor, signal, onRetry }) {
    const idle = new IdleTimer(idleTimeoutMs, signal);
    try {
      const response = await http.request(url, {
        headers: {
          accept: STREAM_ACCEPT,
          ...(cursor === undefined ? {} : { "last-event-id": cursor }),
        },
        cache: "no-store",
        signal: idle.signal,
      });
      if (response.status === 204) {
        yield await endOf(http, taskId);
        return;
      }
      await assertEventStream(response);
      if (typeof response.body?.getReader !== "function") throw new NoStreamError(response);
      const hints = { signal: idle.signal, onActivity: () => idle.restart(), onRetry };
      for await (const message of sseMessages(response.body, hints)) {
        idle.pause(); // How long the consumer takes says nothing about the connection.
        yield message;
        idle.restart();
      }
    } finally {
      idle.close();
    }
  };
}

/** The cursor was that of the end already, so the stream itself does not say why. */
export async function endOf(http: HttpClient, taskId: string): Promise<SseMessage> {
  const url = http.url(taskPath(taskId));
  const { status } = await http.json<TaskDetail>("GET", url);
  const done: DoneMessage = { reason: isTerminal(status) ? status : "completed" };
  return { event: SSE_EVENT.done, data: JSON.stringify(done) };
}

async function assertEventStream(response: Response): Promise<void> {
  if (response.headers.get("content-type")?.startsWith("text/event-stream")) return;
  await response.body?.cancel();
  throw new TaskcastHttpError(response);
}
