import { createParser } from "eventsource-parser";
import type { ChunkFields } from "./chunks/chunks.ts";

/** Data of the last message of a complete stream. Without it, the connection has broken. */
const DONE = "[DONE]";

/** Options for {@linkcode chunksIn}. */
export interface AnswerStreamOptions {
  /** Ends the reading with its reason. */
  signal: AbortSignal;
  /** Milliseconds without a byte after which the connection counts as lost. */
  idleTimeoutMs: number;
}

/**
 * Reads the chunks of an answer from the body of a response.
 *
 * @throws {TypeError} If the stream ends before the answer does. The AI SDK recognizes a lost
 * connection by "network error" in the message.
 */
export async function* chunksIn(
  body: ReadableStream<Uint8Array>,
  { signal, idleTimeoutMs }: AnswerStreamOptions,
): AsyncGenerator<ChunkFields, void> {
  const messages: string[] = [];
  const parser = createParser({ onEvent: ({ data }) => messages.push(data) });
  const decoder = new TextDecoder();
  const reader = body.getReader();
  const cancel = () => void reader.cancel(signal.reason).catch(() => {});
  signal.addEventListener("abort", cancel, { once: true });
  try {
    for (;;) {
      signal.throwIfAborted();
      const timer = setTimeout(cancel, idleTimeoutMs);
      const { done, value } = await reader.read().finally(() => clearTimeout(timer));
      signal.throwIfAborted();
      if (done) throw new TypeError("network error: the stream ended before the answer did");
      parser.feed(decoder.decode(value, { stream: true }));
      for (const data of messages.splice(0)) {
        if (data === DONE) return;
        yield JSON.parse(data);
      }
    }
  } finally {
    signal.removeEventListener("abort", cancel);
    await reader.cancel().catch(() => {});
  }
}
