import type { SseMessage } from "./sse_messages.ts";

/**
 * The headers of a request for a stream. A server that cannot serve one now hides the status from
 * clients that accept nothing but a stream, since browsers give up then.
 */
export function streamHeaders(cursor: string | undefined): Record<string, string> {
  const accept = "text/event-stream, application/json";
  return cursor === undefined ? { accept } : { accept, "last-event-id": cursor };
}

/** Parameters of one connection. */
export interface ConnectRequest {
  /** The task that is followed. */
  taskId: string;
  /** The stream's URL, with everything but the cursor. */
  url: string;
  /** Where to go on. @default where the URL says */
  cursor?: string;
  /** Ends the connection. */
  signal?: AbortSignal;
  /** The server wants this many milliseconds between connections. */
  onRetry: (retryMs: number) => void;
}

/**
 * One connection to the server: its messages, until it is lost or the task has ended. It is made
 * when the first message is asked for, and given up when the consumer leaves.
 *
 * @throws {TaskcastHttpError} If the server refuses.
 * @throws {Renewal} If the connection was given up on purpose: make the next one at once.
 */
export type Connect = (request: ConnectRequest) => AsyncGenerator<SseMessage, void>;

/** Not a failure: the connection was given up and another is to be made at once. */
export class Renewal extends Error {}
