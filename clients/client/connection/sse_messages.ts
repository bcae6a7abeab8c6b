import { onAbort } from "@taskcast/core/protocol";

/** A message of an SSE stream. */
export interface SseMessage {
  /** Name of the message; `undefined` for a block that only moves the cursor. */
  event?: string;
  /** Data of the message; empty for a block that only moves the cursor. */
  data: string;
  /** Cursor of the reader after the message. */
  id?: string;
}

/** Returns the approximate size of a buffered message in characters: its data plus a constant. */
export function sizeOf({ data }: SseMessage): number {
  return data.length + 100;
}

/** Abort signal of {@linkcode sseMessages}, and callbacks for what is not a message. */
export interface SseHints {
  /**
   * Ends the reading with its reason. The signal of the request does not suffice: a runtime may
   * lose it while an answer is read (Deno does during garbage collection), and the read would then
   * wait for ever.
   */
  signal?: AbortSignal;
  /** Called for every chunk, including heartbeats. */
  onActivity?: () => void;
  /** Called with the server's delay between connections in milliseconds. */
  onRetry?: (retryMs: number) => void;
}

/**
 * Yields the messages of an SSE stream, reading only as fast as the consumer. An incomplete message
 * at the end is dropped.
 */
export async function* sseMessages(
  body: ReadableStream<Uint8Array>,
  { signal, onActivity, onRetry }: SseHints = {},
): AsyncGenerator<SseMessage, void> {
  const parser = new SseParser(onRetry);
  const decoder = new TextDecoder();
  const reader = body.getReader();
  const stop = () => void reader.cancel(signal?.reason).catch(() => {});
  const removeAbortListener = onAbort(signal, stop);
  try {
    for (;;) {
      const { value, done } = await reader.read();
      signal?.throwIfAborted();
      if (done) return;
      onActivity?.();
      yield* parser.read(decoder.decode(value, { stream: true }));
    }
  } finally {
    removeAbortListener();
    // Also runs when the consumer stops reading: the connection is closed at once.
    await reader.cancel().catch(() => {});
  }
}

/**
 * Parser of https://html.spec.whatwg.org/multipage/server-sent-events.html, with one difference: it
 * also reports blocks that have an `id:` and no data. By the specification they move the cursor,
 * but other parsers do not report them.
 */
class SseParser {
  readonly #onRetry?: (retryMs: number) => void;
  /** Parts of the incomplete line. */
  #parts: string[] = [];
  #endsWithCr = false;
  #event?: string;
  #data?: string;
  #id?: string;

  constructor(onRetry?: (retryMs: number) => void) {
    this.#onRetry = onRetry;
  }

  /** Yields the messages that a text completes. */
  *read(text: string): Generator<SseMessage, void> {
    if (text === "") return;
    const lines = (this.#endsWithCr && text[0] === "\n" ? text.slice(1) : text).split(/\r\n|\n|\r/);
    this.#endsWithCr = text.endsWith("\r");
    const last = lines.pop()!;
    for (const line of lines) {
      const message = this.#processLine(this.#parts.join("") + line);
      this.#parts = [];
      if (message !== undefined) yield message;
    }
    this.#parts.push(last);
  }

  #processLine(line: string): SseMessage | undefined {
    if (line === "") return this.#complete();
    const [, name, value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line)!;
    if (name === "event") this.#event = value;
    else if (name === "data") {
      this.#data = this.#data === undefined ? value : `${this.#data}\n${value}`;
    } else if (name === "id" && !value.includes("\0")) this.#id = value;
    else if (name === "retry" && /^\d+$/.test(value)) this.#onRetry?.(Number(value));
    return undefined;
  }

  #complete(): SseMessage | undefined {
    const [event, data, id] = [this.#event, this.#data, this.#id];
    this.#event = this.#data = this.#id = undefined;
    if (data !== undefined) return { event: event || undefined, data, id };
    return id === undefined ? undefined : { data: "", id };
  }
}
