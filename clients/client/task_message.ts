import { SSE_EVENT } from "@taskcast/core/protocol";
import { isObject } from "./http.ts";
import type { SseMessage } from "./connection/sse_messages.ts";

/** A message of a task's stream with parsed data. */
export interface TaskMessage extends SseMessage {
  /** Parsed data, if the name is one of {@linkcode MESSAGE_NAMES}. */
  value?: unknown;
}

/** Names of all messages in a task's stream. */
export const MESSAGE_NAMES: readonly string[] = Object.values(SSE_EVENT);

/**
 * Parses the data of a message.
 *
 * @throws {Error} If it was damaged on the way, in which case reading it again may help.
 */
export function readMessage(message: SseMessage): TaskMessage {
  const { event, data } = message;
  if (!MESSAGE_NAMES.includes(event!)) return message;
  try {
    const value = JSON.parse(data);
    const isWhole = event !== SSE_EVENT.done || typeof value.reason === "string";
    if (isObject(value) && isWhole) return { ...message, value };
  } catch {
    // Reported below.
  }
  throw new Error(`The data of ${event} was damaged on the way`);
}
