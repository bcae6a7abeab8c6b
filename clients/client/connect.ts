import type { SseMessage } from "./sse_messages.ts";

/**
 * What requests for a stream accept. A server that cannot serve one now hides the status from whoever
 * takes nothing but a stream, since browsers give up then.
 */
export const STREAM_ACCEPT = "text/event-stream, application/json";

/** What one connection is made for. */
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
