import assert from "node:assert/strict";
import type { StoredEvent } from "../contracts/records.ts";
import type { StreamMessage } from "./object_encoder.ts";
import { objectEncoder } from "./object_encoder.ts";
import type { FramesPosition } from "./shared_frames.ts";
import { SharedFrames } from "./shared_frames.ts";

function viewOf(maxBytes: number, types?: string[]): SharedFrames<StreamMessage[]> {
  return new SharedFrames({
    taskId: "t",
    incarnation: "0123abcd",
    filter: { types },
    encoder: objectEncoder,
    maxBytes: () => maxBytes,
  }, { through: -1, count: 0 });
}

function event(index: number, type = "a"): StoredEvent {
  const data = JSON.stringify("x".repeat(1_000));
  return { index, timestamp: 1, entropy: 0, type, level: "info", data };
}

function startOf(): FramesPosition<StreamMessage[]> {
  return { through: -1, count: 0, offset: 0 };
}

function indexes(
  taken: ReturnType<SharedFrames<StreamMessage[]>["takeChunk"]>,
): number[] | string | undefined {
  if (taken === undefined || taken === "behind") return taken;
  return taken.chunk.map((message) => message.kind === "event" ? message.event.index : -1);
}

Deno.test("View.take() gives everything between a position and the end, as one chunk", () => {
  const view = viewOf(1e6);
  const position = startOf();
  assert.equal(view.takeChunk(position), undefined);
  for (let i = 0; i < 3; i++) view.append([event(i)]);
  assert.deepEqual(indexes(view.takeChunk(position)), [0, 1, 2]);
  assert.equal(view.takeChunk(position), undefined);
  assert.deepEqual([position.through, position.count], [2, 3]);
  view.append([event(3)]);
  assert.deepEqual(indexes(view.takeChunk(position)), [3]);
  const late = { ...startOf(), through: 1, count: 2 };
  assert.deepEqual(indexes(view.takeChunk(late)), [2, 3]);
});

Deno.test("View moves readers past what does not match", () => {
  const view = viewOf(1e6, ["a"]);
  const position = startOf();
  for (let i = 0; i < 6; i++) view.append([event(i, i % 2 === 0 ? "a" : "b")]);
  assert.deepEqual(indexes(view.takeChunk(position)), [0, 2, 4]);
  assert.deepEqual([position.through, position.count], [5, 3]);
});

Deno.test("SharedFrames keeps to its bound, reports readers that lag, and takes them back", () => {
  const view = viewOf(200_000);
  const slow = startOf();
  const fast = startOf();
  for (let i = 0; i < 3; i++) view.append([event(i)]);
  view.takeChunk(slow);
  for (let i = 3; i < 2_000; i++) {
    view.markWoken();
    view.append([event(i)]);
    assert.notEqual(view.takeChunk(fast), "behind");
  }
  assert.equal(view.takeChunk(slow), "behind");
  // The reader has continued from the store by itself.
  Object.assign(slow, { through: 1_990, count: 1_991, segment: undefined });
  const found: unknown[] = [];
  for (let taken = view.takeChunk(slow); taken !== undefined; taken = view.takeChunk(slow)) {
    found.push(...indexes(taken) as number[]);
  }
  assert.deepEqual(found, [1_991, 1_992, 1_993, 1_994, 1_995, 1_996, 1_997, 1_998, 1_999]);
});

Deno.test("a reader that stopped within shared frames holds none of the later ones", () => {
  const view = viewOf(200_000);
  const stopped = startOf();
  view.append([event(0)]);
  view.takeChunk(stopped);
  for (let i = 1; i < 2_000; i++) {
    view.markWoken();
    view.append([event(i)]);
  }
  assert.equal(stopped.segment?.dropped, true);
  assert.equal(stopped.segment?.next, undefined);
  assert.equal(stopped.segment?.buffer.bytes, 0);

  const restarted = { through: 1_999, count: 2_000, offset: 0 };
  const held = view.takeChunk(restarted) === undefined ? restarted as typeof stopped : undefined;
  view.append([event(2_000)]);
  view.restart({ through: 5_000, count: 5_001 });
  assert.equal(held?.segment?.dropped, true);
  assert.equal(view.takeChunk(held!), "behind");
});

Deno.test("SharedFrames keeps frames that arrive together in one piece, up to half of its bound", () => {
  const sizes = (maxBytes: number, append: (view: SharedFrames<StreamMessage[]>) => void) => {
    const view = viewOf(maxBytes);
    const position = startOf();
    append(view);
    const chunks: number[] = [];
    for (
      let taken = view.takeChunk(position);
      taken !== undefined;
      taken = view.takeChunk(position)
    ) {
      if (taken === "behind") return taken;
      chunks.push(taken.chunk.length);
    }
    return chunks;
  };
  const events = Array.from({ length: 200 }, (_, i) => event(i));
  assert.deepEqual(sizes(1e6, (view) => view.append(events)), [200]);
  const singly = sizes(1e6, (view) => events.forEach((event) => view.append([event])));
  assert(singly.length > 5 && singly.length < 12, `${singly}`);
  const bounded = sizes(600_000, (view) => view.append(events));
  assert(bounded.length > 1 && bounded.length < 4, `${bounded}`);
});

Deno.test("SharedFrames keeps frames for waiting readers beyond its bound, and no longer than needed", () => {
  const view = viewOf(1);
  const waiting = startOf();
  for (let i = 0; i < 500; i++) view.append([event(i)]);
  assert.equal(indexes(view.takeChunk({ ...waiting }))![0], 0);
  assert(view.bytes > 1_000_000, `${view.bytes}`);
  view.markWoken();
  assert.equal(view.takeChunk(waiting), "behind");
  assert(view.bytes < 100_000, `${view.bytes}`);
});
