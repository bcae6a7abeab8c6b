import type { Ticket } from "@taskcast/core/protocol";
import { taskPath } from "@taskcast/core/protocol";
import { onAbort } from "@taskcast/core/protocol";
import type { Connect, ConnectRequest } from "./connect.ts";
import { Renewal, streamHeaders } from "./connect.ts";
import { endOf } from "./fetch_connect.ts";
import type { HttpClient } from "./http.ts";
import { IdleTimer } from "./idle_timer.ts";
import { MessageQueue } from "./message_queue.ts";
import type { SseMessage } from "./sse_messages.ts";
import { sizeOf } from "./sse_messages.ts";
import { MESSAGE_NAMES } from "./task_message.ts";

/** The part of `EventSource` that is used; that of browsers and the npm package `eventsource` fit. */
export interface EventSourceLike {
  /** 0 connecting, 1 open, 2 closed for good. */
  readonly readyState: number;
  /** Hears of messages by name, and of `open` and `error`. */
  addEventListener(
    name: string,
    listener: (event: { data?: unknown; lastEventId?: string }) => void,
  ): void;
  /** Gives up the connection. */
  close(): void;
}

/** Makes an {@linkcode EventSourceLike}. */
export type EventSourceConstructor = new (url: string) => EventSourceLike;

const CLOSED = 2;

/**
 * Connections by `EventSource`, where `fetch` does not stream. It sends no header, so with a token
 * each connection gets a ticket of its own; the cursor goes into the URL.
 *
 * Each lost connection ends this one instead of letting EventSource make the next, which it would
 * with the old ticket. Two things that EventSource hides are made up for. It does not tell of
 * heartbeats, so a connection that said nothing for a while is replaced, and nobody is told. And it
 * does not wait for its reader, so when too much lies unread it is closed, and the rest is fetched
 * when the reader is there.
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
          // What has no id brings the next connection no further.
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
 * EventSource does not say why it was refused, so the same is asked with `fetch`, of which only the
 * status is read.
 *
 * @returns The end of the task, if the answer is 204.
 * @throws {TaskcastHttpError} The reason; what is given as `otherwise` if it would be served now.
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
