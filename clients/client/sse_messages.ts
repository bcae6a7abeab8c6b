import { createParser } from "eventsource-parser";

/** A message of an SSE stream. */
export interface SseMessage {
  /** Its name; `undefined` for a block that only moves the cursor. */
  event?: string;
  /** Its data. */
  data: string;
  /** Where the reader stands after it. */
  id?: string;
}

/** What a message takes while it is held, in characters: its data, and something for being there. */
export function sizeOf({ data }: SseMessage): number {
  return data.length + 100;
}

/** What a stream of SSE says besides its messages. */
export interface SseHints {
  /**
   * Ends the reading with its reason. That of the request is not enough: runtimes may forget it
   * while an answer is read (Deno does when memory is collected), and the read would wait forever.
   */
  signal?: AbortSignal;
  /** Any byte came: the connection is alive. */
  onActivity?: () => void;
  /** The server wants this many milliseconds between connections. */
  onRetry?: (retryMs: number) => void;
}

/** Name that is given to blocks without data, so that the parser reports them. */
const CURSOR_ONLY = "taskcast.cursor";

/**
 * Reads the messages of an SSE stream, as they come and as they are asked for.
 *
 * A block that only has an `id:` moves the reader's cursor by the rules of EventSource, but parsers
 * do not report it. Such blocks are given a name and empty data before they reach the parser. A
 * message that is cut off in the middle is dropped.
 */
export async function* sseMessages(
  body: ReadableStream<Uint8Array>,
  { signal, onActivity, onRetry }: SseHints = {},
): AsyncGenerator<SseMessage, void> {
  const messages: SseMessage[] = [];
  const parser = createParser({
    onEvent: ({ event, data, id }) =>
      messages.push(event === CURSOR_ONLY ? { data, id } : { event, data, id }),
    onRetry,
  });
  const blocks = new BlockNamer();
  const decoder = new TextDecoder();
  const reader = body.getReader();
  const stop = () => void reader.cancel(signal?.reason).catch(() => {});
  signal?.addEventListener("abort", stop, { once: true });
  try {
    for (;;) {
      const { value, done } = await reader.read();
      signal?.throwIfAborted();
      if (done) return;
      onActivity?.();
      parser.feed(blocks.push(decoder.decode(value, { stream: true })));
      yield* messages.splice(0);
    }
  } finally {
    signal?.removeEventListener("abort", stop);
    // Also when the consumer leaves: the connection is given up at once.
    await reader.cancel().catch(() => {});
  }
}

/** Completes blocks that have an id and no data. Holds back no more than an unfinished line. */
class BlockNamer {
  #unfinished: string[] = [];
  #hasId = false;
  #hasData = false;

  push(text: string): string {
    let out = "";
    let start = 0;
    for (;;) {
      const newline = text.indexOf("\n", start);
      if (newline === -1) break;
      const line = this.#unfinished.join("") + text.slice(start, newline);
      this.#unfinished = [];
      out += this.#take(line);
      start = newline + 1;
    }
    if (start < text.length) this.#unfinished.push(text.slice(start));
    return out;
  }

  #take(line: string): string {
    if (line.startsWith("id:")) this.#hasId = true;
    else if (line.startsWith("data")) this.#hasData = true;
    else if (line === "" || line === "\r") {
      const cursorOnly = this.#hasId && !this.#hasData;
      this.#hasId = this.#hasData = false;
      if (cursorOnly) return `event: ${CURSOR_ONLY}\ndata:\n\n`;
    }
    return line + "\n";
  }
}
