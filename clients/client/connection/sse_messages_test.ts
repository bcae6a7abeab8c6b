import assert from "node:assert/strict";
import { createParser } from "eventsource-parser";
import fc from "fast-check";
import type { SseMessage } from "./sse_messages.ts";
import { sseMessages } from "./sse_messages.ts";
import { runs } from "../../../testing/properties/runs.ts";

/** Parses a text that arrives in chunks of these lengths, repeated. Returns messages and retries. */
async function read(text: string, lengths: number[]): Promise<[SseMessage[], number[]]> {
  const bytes = new TextEncoder().encode(text);
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let at = 0, i = 0; at < bytes.length; i++) {
        const end = at + lengths[i % lengths.length]!;
        controller.enqueue(bytes.slice(at, end));
        at = end;
      }
      controller.close();
    },
  });
  const waits: number[] = [];
  const messages = await Array.fromAsync(sseMessages(body, { onRetry: (ms) => waits.push(ms) }));
  return [messages, waits];
}

/** Valid and invalid lines of a stream. */
const line = fc.oneof(
  fc.constantFrom("", "", ": comment", ":", "data", "data:", "data:  two", "data: 🎉", "id", "id:"),
  fc.constantFrom("id: 1", "id:a:b", "id: \0", "event: x", "event:", "retry: 5", "retry: 5s"),
  fc.constantFrom("retry:", " data: x", "Data: x", "dataset: x", "nonsense", "nonsense: x"),
  fc.string({ unit: "grapheme", maxLength: 8 }).map((text) => text.replace(/[\r\n\0]/g, "")),
);
const text = fc.array(fc.tuple(line, fc.constantFrom("\n", "\n", "\r\n", "\r")))
  .map((lines) => lines.map((each) => each.join("")).join(""));

Deno.test("sseMessages() reads what another parser reads, wherever the text is cut", async () => {
  const property = fc.asyncProperty(
    text,
    fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
    async (text, lengths) => {
      const expected: SseMessage[] = [];
      const retries: number[] = [];
      const parser = createParser({
        onEvent: ({ event, data, id }) => expected.push({ event, data, id }),
        onRetry: (ms) => retries.push(ms),
      });
      // This parser does not end a line at "\r" before it has the next character.
      parser.feed(text.endsWith("\r") ? `${text}\n` : text);
      const [messages, waits] = await read(text, lengths);
      // Only our parser reports blocks that have an id and no data.
      const isInBoth = ({ event, data, id }: SseMessage) =>
        data !== "" || event !== undefined || id === undefined;
      assert.deepEqual(messages.filter(isInBoth), expected.filter(isInBoth));
      assert.deepEqual(waits, retries);
    },
  );
  await fc.assert(property, { numRuns: runs(500) });
});

Deno.test("sseMessages() reports blocks that only move the cursor, and no others without data", async () => {
  const text =
    ": hello\n\nid: c1\n\nevent: x\n\n: heartbeat\r\nid: c2\r\n\r\nretry: 7\n\ndata\n\nid: c3\n";
  for (const length of [1, 3, 1_000]) {
    const [messages, waits] = await read(text, [length]);
    assert.deepEqual(messages, [
      { data: "", id: "c1" },
      { data: "", id: "c2" },
      { event: undefined, data: "", id: undefined },
    ]);
    assert.deepEqual(waits, [7]);
  }
});

Deno.test("sseMessages() takes linear time for a line that arrives in many parts", async () => {
  const value = "x".repeat(2_000_000);
  const [messages] = await read(`data: ${value}\n\n`, [20]);
  assert.equal(messages[0]!.data.length, value.length);
});
