import { SSE_EVENT } from "@taskcast/core/protocol";
import { isObject } from "./http.ts";
import type { SseMessage } from "./sse_messages.ts";

/** A message of a task's stream with its data read. */
export interface TaskMessage extends SseMessage {
  /** Its data; only of messages that have a name of ours. */
  value?: unknown;
}

/** The names of all messages that a task's stream has. */
export const MESSAGE_NAMES: readonly string[] = Object.values(SSE_EVENT);

/**
 * Reads the data of a message.
 *
 * @throws {Error} If it was damaged on the way; to read it again is worth a try.
 */
export function readMessage(message: SseMessage): TaskMessage {
  const { event, data } = message;
  if (!MESSAGE_NAMES.includes(event!)) return message;
  try {
    const value = JSON.parse(data);
    const isWhole = event !== SSE_EVENT.done || typeof value.reason === "string";
    if (isObject(value) && isWhole) return { ...message, value };
  } catch {
    // Told below.
  }
  throw new Error(`The data of ${event} was damaged on the way`);
}
