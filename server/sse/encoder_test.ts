import type { StoredEvent } from "@taskcast/core/adapter";
import assert from "node:assert/strict";
import { sseEncoder } from "./encoder.ts";

const event: StoredEvent = {
  index: 3,
  entropy: 7,
  timestamp: 1_700_000_000_000,
  type: "note",
  level: "info",
  data: '"hello"',
};

function textOf(chunk: Uint8Array | undefined): string {
  return new TextDecoder().decode(chunk);
}

Deno.test("the id is the last line of a frame, so that no client takes it before the event", () => {
  for (const wrap of [true, false]) {
    const encoder = sseEncoder(wrap);
    const buffer = encoder.buffer();
    buffer.append({ taskId: "t", event, filteredIndex: 0, cursor: "c1" });
    assert.match(textOf(buffer.slice(0)), /^event: taskcast\.event\ndata: .+\nid: c1\n\n$/);
    const done = textOf(encoder.done({ reason: "completed" }, "c2"));
    const [frame, ...more] = done.split("\n\n");
    assert.equal(frame, 'event: taskcast.done\ndata: {"reason":"completed"}\nid: c2');
    assert.deepEqual(more, ["retry: 30000", ""], "the wait after the end is a block of its own");
  }
});

Deno.test("a frame without a cursor has no id", () => {
  const buffer = sseEncoder(false).buffer();
  buffer.append({ taskId: "t", event, filteredIndex: 0 });
  assert.equal(textOf(buffer.slice(0)), 'event: taskcast.event\ndata: "hello"\n\n');
});
