import type { EventFrame, FrameBuffer, FrameEncoder } from "@taskcast/core/internal";
import { envelopeJson, eventJson } from "@taskcast/core/internal";
import { escapeLineSeparators, SSE_EVENT, toJsonLine } from "@taskcast/core/protocol";

// Frames as in https://html.spec.whatwg.org/multipage/server-sent-events.html. Each data line is
// JSON, in which line breaks are escaped, so no payload can forge a frame. `id:` is the last line
// of a frame: some clients take an id as soon as its line is complete, and would lose the event if
// the connection broke between the id and the data.

/** Milliseconds that a client waits before it reconnects. */
const RETRY_MS = 1000;

/** Reconnection delay after the end, for clients that do not know that 204 tells them to stop. */
const ENDED_RETRY_MS = 30_000;

const FIRST_BYTES = 2 * 1024;
const utf8 = new TextEncoder();

/** Content of an event's data line: its envelope, the event itself, or its data alone. */
export type Wrap = boolean | "event";

/** Returns the encoder for SSE. */
export function sseEncoder(wrap: Wrap): FrameEncoder<Uint8Array> {
  return wrap === "event" ? plain : wrap ? wrapped : bare;
}

const wrapped = encoder(
  "sse",
  ({ taskId, filteredIndex, event }) => envelopeJson(taskId, filteredIndex, event),
);
const plain = encoder("sse event", ({ taskId, event }) => eventJson(taskId, event));

function encoder(
  key: string,
  dataOf: (frame: EventFrame) => string,
): FrameEncoder<Uint8Array> {
  return {
    key,
    open: (message) =>
      utf8.encode(
        `retry: ${RETRY_MS}\nevent: ${SSE_EVENT.open}\ndata: ${toJsonLine(message)}\n\n`,
      ),
    // A block with only an id moves the reader's last event id without dispatching an event.
    heartbeat: (cursor) =>
      utf8.encode(cursor === undefined ? ": heartbeat\n\n" : `: heartbeat\nid: ${cursor}\n\n`),
    // In its own block: a `retry:` within the frame would delay a client whose connection broke
    // before the frame was complete.
    done: (message, cursor) =>
      utf8.encode(
        `event: ${SSE_EVENT.done}\ndata: ${toJsonLine(message)}\nid: ${cursor}\n\n` +
          `retry: ${ENDED_RETRY_MS}\n\n`,
      ),
    buffer: () => new ByteBuffer(dataOf),
  };
}

/** The first block of a stream that has no opening message. */
export const helloBytes: Uint8Array = utf8.encode(`retry: ${RETRY_MS}\n: connected\n\n`);

// Without envelopes, readers receive only the data and the end.
const bare: FrameEncoder<Uint8Array> = {
  ...encoder("sse bare", ({ event }) => event.data),
  open: () => helloBytes,
};

/** Frames as bytes. Chunks taken from it are views of one buffer, which is only appended to. */
class ByteBuffer implements FrameBuffer<Uint8Array> {
  readonly #dataOf: (frame: EventFrame) => string;
  #memory = new Uint8Array(0);
  #end = 0;
  /** The newest slice and its offset. Readers at the same position share it. */
  #newest?: { start: number; chunk: Uint8Array };

  constructor(dataOf: (frame: EventFrame) => string) {
    this.#dataOf = dataOf;
  }

  get end(): number {
    return this.#end;
  }

  get bytes(): number {
    return this.#memory.length;
  }

  append(frame: EventFrame): void {
    const id = frame.cursor === undefined ? "" : `id: ${frame.cursor}\n`;
    this.#write(`event: ${SSE_EVENT.event}\ndata: ${this.#dataOf(frame)}\n${id}\n`);
  }

  slice(start: number): Uint8Array {
    if (this.#newest?.start === start) return this.#newest.chunk;
    const chunk = this.#memory.subarray(start, this.#end);
    this.#newest = { start, chunk };
    return chunk;
  }

  #write(frame: string): void {
    const text = escapeLineSeparators(frame);
    this.#newest = undefined;
    this.#reserve(text.length);
    const { read, written } = utf8.encodeInto(text, this.#memory.subarray(this.#end));
    this.#end += written;
    if (read === text.length) return;
    // Some of it was not ASCII. A UTF-16 unit takes at most three bytes.
    this.#reserve(3 * (text.length - read));
    this.#end += utf8.encodeInto(text.slice(read), this.#memory.subarray(this.#end)).written;
  }

  #reserve(bytes: number): void {
    const needed = this.#end + bytes;
    if (needed <= this.#memory.length) return;
    // Chunks that were taken keep the old buffer.
    const grown = new Uint8Array(Math.max(needed, 2 * this.#memory.length, FIRST_BYTES));
    grown.set(this.#memory.subarray(0, this.#end));
    this.#memory = grown;
  }
}
