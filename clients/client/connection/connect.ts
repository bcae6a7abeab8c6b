import type { SseMessage } from "./sse_messages.ts";

/**
 * Returns the headers of a request for a stream. They also accept JSON: if a client accepts only a
 * stream, the server hides the status of a temporary refusal, because `EventSource` would stop
 * reconnecting.
 */
export function streamHeaders(cursor: string | undefined): Record<string, string> {
  const accept = "text/event-stream, application/json";
  return cursor === undefined ? { accept } : { accept, "last-event-id": cursor };
}

/** Parameters of a connection. */
export interface ConnectRequest {
  /** The task to follow. */
  taskId: string;
  /** The stream's URL, without the cursor. */
  url: string;
  /** Cursor to resume from. @default the position in the URL */
  cursor?: string;
  /** Ends the connection. */
  signal?: AbortSignal;
  /** Called with the server's delay between connections in milliseconds. */
  onRetry: (retryMs: number) => void;
}

/**
 * Yields the messages of one connection until it is lost or the task has ended. Connects when the
 * first message is read, and closes when the consumer stops reading.
 *
 * @throws {TaskcastHttpError} If the server refuses.
 * @throws {Renewal} If the connection was closed on purpose.
 */
export type Connect = (request: ConnectRequest) => AsyncGenerator<SseMessage, void>;

/**
 * Signals that the connection was closed on purpose, and that the next one should be opened at
 * once. Not a failure.
 */
export class Renewal extends Error {}
