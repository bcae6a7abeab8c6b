import type { Ticket } from "@taskcast/core/protocol";
import { taskPath } from "@taskcast/core/protocol";
import { onAbort } from "@taskcast/core/protocol";
import type { Connect, ConnectRequest } from "./connect.ts";
import { Renewal, streamHeaders } from "./connect.ts";
import { endOf } from "./fetch_connect.ts";
import type { HttpClient } from "../http.ts";
import { IdleTimer } from "./idle_timer.ts";
import { MessageQueue } from "../message_queue.ts";
import type { SseMessage } from "./sse_messages.ts";
import { sizeOf } from "./sse_messages.ts";
import { MESSAGE_NAMES } from "../task_message.ts";

/**
 * The part of `EventSource` that the client uses. Browsers and the npm package `eventsource`
 * implement it.
 */
export interface EventSourceLike {
  /** 0 while connecting, 1 when open, 2 when closed for good. */
  readonly readyState: number;
  /** Adds a listener for messages of a name, or for `open` or `error`. */
  addEventListener(
    name: string,
    listener: (event: { data?: unknown; lastEventId?: string }) => void,
  ): void;
  /** Closes the connection. */
  close(): void;
}

/** Constructor of an {@linkcode EventSourceLike}. */
export type EventSourceConstructor = new (url: string) => EventSourceLike;

const CLOSED = 2;

/**
 * Connects by `EventSource`, for runtimes where `fetch` does not stream. `EventSource` sends no
 * headers, so with a token each connection gets a ticket of its own; the cursor goes into the URL.
 *
 * When a connection is lost, `EventSource` is closed, because it would reconnect with the old
 * ticket. It does not report heartbeats, so a connection that was silent for a while is replaced
 * without an error. It has no back-pressure, so it is closed when too much is unread, and the rest
 * is fetched once the reader has caught up.
 */
export function eventSourceConnect(
  http: HttpClient,
  EventSource: EventSourceConstructor,
  { idleTimeoutMs, maxBufferedChars }: { idleTimeoutMs: number; maxBufferedChars: number },
): Connect {
  return async function* (request) {
    const { signal } = request;
    const idle = new IdleTimer(idleTimeoutMs, signal);
    let source: EventSourceLike | undefined;
    try {
      const url = await addressOf(http, request, idle.signal);
      if (idle.signal.aborted) throw idle.signal.reason;
      const queue = new MessageQueue(maxBufferedChars, sizeOf);
      const end = (error: unknown) => {
        source?.close();
        queue.end(error);
      };
      let opened = false;
      let refused = false;
      source = new EventSource(url);
      source.addEventListener("open", () => {
        opened = true;
        idle.restart();
      });
      for (const event of MESSAGE_NAMES) {
        source.addEventListener(event, ({ data, lastEventId }) => {
          idle.restart();
          const message = { event, data: String(data), id: lastEventId || undefined };
          const hasRoom = queue.push(message);
          // A message without an id would not move the next connection forward.
          if (!hasRoom && message.id !== undefined) end(new Renewal());
        });
      }
      source.addEventListener("error", () => {
        refused = !opened && source!.readyState === CLOSED;
        end(new Error(opened ? "The connection was lost" : "No connection could be made"));
      });
      onAbort(idle.signal, () => end(signal?.aborted ? signal.reason : new Renewal()));
      try {
        for await (const message of queue) {
          idle.pause();
          yield message;
          idle.restart();
        }
      } catch (error) {
        if (!refused || signal?.aborted) throw error;
        yield await askForEnd(http, request, idle.signal, error);
      }
    } finally {
      source?.close();
      idle.close();
    }
  };
}

async function addressOf(
  http: HttpClient,
  { taskId, url, cursor }: ConnectRequest,
  signal: AbortSignal,
): Promise<string> {
  const address = new URL(url);
  if (cursor !== undefined) address.searchParams.set("since.id", cursor);
  if (http.hasCredentials) {
    const tickets = http.url(`${taskPath(taskId)}/tickets`);
    const { ticket } = await http.json<Ticket>("POST", tickets, {}, {
      signal,
      isOurs: ({ ticket }) => typeof ticket === "string",
    });
    address.searchParams.set("ticket", ticket);
  }
  return address.href;
}

/**
 * Requests the same URL with `fetch` to find out why the stream was refused, which `EventSource`
 * does not report. Only the status is read.
 *
 * @returns The end of the task, if the answer is 204.
 * @throws {TaskcastHttpError} The refusal, or `otherwise` if the server no longer refuses.
 */
async function askForEnd(
  http: HttpClient,
  request: ConnectRequest,
  signal: AbortSignal,
  otherwise: unknown,
): Promise<SseMessage> {
  const { url, cursor } = request;
  const response = await http.request(url, { headers: streamHeaders(cursor), signal });
  if (response.status !== 204) throw otherwise;
  return await endOf(http, request, response);
}
