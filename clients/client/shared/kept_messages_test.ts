import assert from "node:assert/strict";
import { encodeCursor } from "@taskcast/core/protocol";
import type { SseMessage } from "../connection/sse_messages.ts";
import { KeptMessages } from "./kept_messages.ts";

function at(kind: "exact" | "partial", index: number, incarnation = "abcd1234"): string {
  return encodeCursor({ kind, incarnation, index });
}

function event(id: string, chars = 0): SseMessage {
  return { event: "taskcast.event", data: "x".repeat(chars), id };
}

/** Returns the numbers of the messages that a follower at a position would get. */
function served(kept: KeptMessages, standing: object): number[] | undefined {
  const whole = { start: "elsewhere", n: 0, ...standing };
  return kept.after(whole, "own")?.map(({ n }) => n);
}

const beginning = { start: "beginning", isBeginning: true };

Deno.test("KeptMessages: serves a tab that followed it, from the next message on", () => {
  const kept = new KeptMessages(beginning, 1_000_000);
  for (let i = 0; i < 3; i++) kept.add(event(at("partial", i)));
  assert.deepEqual(served(kept, { term: "own", n: 1 }), [2, 3]);
  assert.deepEqual(served(kept, { term: "own", n: 3 }), []);
  assert.equal(served(kept, { term: "own", n: 4 }), undefined, "message 4 was never added");
  assert.equal(served(kept, { term: "another", n: 1 }), undefined);
});

Deno.test("KeptMessages: serves a tab that starts where it started, until something is dropped", () => {
  const kept = new KeptMessages(beginning, 400);
  kept.add(event(at("exact", 0)));
  assert.deepEqual(served(kept, { start: "beginning" }), [1]);
  for (let i = 1; i < 5; i++) kept.add(event(at("exact", i)));
  assert.equal(served(kept, { start: "beginning" }), undefined);
  assert.deepEqual(served(kept, { term: "own", n: 1 }), [2, 3, 4, 5]);
  assert.equal(served(kept, { term: "own", n: 0 }), undefined);
});

Deno.test("KeptMessages: serves a tab that has everything before its messages, in this incarnation", () => {
  const origin = { start: "s", cursor: at("partial", 3), isBeginning: false };
  const kept = new KeptMessages(origin, 1_000_000);
  kept.add(event(at("exact", 5)));
  assert.deepEqual(served(kept, { cursor: at("exact", 3) }), [1]);
  assert.deepEqual(served(kept, { cursor: at("exact", 9) }), [1]);
  assert.equal(served(kept, { cursor: at("exact", 2) }), undefined);
  assert.equal(served(kept, { cursor: at("partial", 4) }), undefined);
  assert.equal(served(kept, { cursor: at("exact", 4, "otherlife") }), undefined);
  assert.equal(served(kept, { cursor: "an event's id" }), undefined);
});

Deno.test("KeptMessages: serves only positions after its first message if the stream's start is unknown", () => {
  const kept = new KeptMessages({ start: "s", isBeginning: false }, 1_000_000);
  assert.equal(served(kept, { cursor: at("exact", 9) }), undefined);
  kept.add(event(at("exact", 5)));
  assert.equal(served(kept, { cursor: at("exact", 4) }), undefined);
  assert.deepEqual(served(kept, { cursor: at("exact", 5) }), [1]);
});

Deno.test("KeptMessages: holds no more than its bound, also of messages without data", () => {
  const kept = new KeptMessages(beginning, 10_000);
  for (let i = 0; i < 1_000; i++) kept.add({ data: "", id: at("exact", i) });
  assert.equal(served(kept, { cursor: at("exact", 999) })!.length, 100);
  kept.add(event(at("exact", 1_000), 20_000));
  assert.deepEqual(served(kept, { term: "own", n: 1_001 }), []);
  assert.deepEqual(served(kept, { cursor: at("exact", 1_000) }), []);
});

Deno.test("KeptMessages: does not serve a tab that has another event at the same index, after a restore", () => {
  const place = { kind: "exact", incarnation: "abcd1234", index: 3 } as const;
  const cursor = encodeCursor({ ...place, fingerprint: 1 });
  const kept = new KeptMessages({ start: "s", cursor, isBeginning: false }, 1_000_000);
  kept.add(event(at("exact", 5)));
  assert.deepEqual(served(kept, { cursor }), [1]);
  assert.deepEqual(served(kept, { cursor: at("exact", 3) }), [1]);
  const other = encodeCursor({ ...place, fingerprint: 2 });
  assert.equal(served(kept, { cursor: other }), undefined);
});
