import type { EventEnvelope } from "@taskcast/client";
import assert from "node:assert/strict";
import { EventList } from "./event_list.ts";

function event(rawIndex: number, more: Partial<EventEnvelope> = {}): EventEnvelope {
  const rest = { filteredIndex: rawIndex, eventId: "", taskId: "t", timestamp: 0 } as const;
  return { rawIndex, type: "a", level: "info", data: rawIndex, ...rest, ...more };
}

const indexes = (list: EventList) => list.newest().map(({ rawIndex }) => rawIndex);

Deno.test("EventList keeps the newest events and counts the dropped ones", () => {
  const list = new EventList(10);
  for (let i = 0; i < 1234; i++) {
    list.add(event(i));
    assert.equal(list.newest().length, Math.min(i + 1, 10));
    assert.equal(list.newest().at(-1)!.rawIndex, i);
    assert.equal(list.dropped, Math.max(0, i + 1 - 10));
  }
});

Deno.test("EventList with a capacity of 0 keeps nothing", () => {
  const list = new EventList(0);
  for (let i = 0; i < 5; i++) list.add(event(i));
  assert.deepEqual([list.newest().length, list.dropped], [0, 5]);
});

Deno.test("EventList that grows keeps its events and does not restore dropped ones", () => {
  const list = new EventList(3);
  for (let i = 0; i < 5; i++) list.add(event(i));
  list.growTo(100);
  assert.deepEqual(indexes(list), [2, 3, 4]);
  for (let i = 5; i < 50; i++) list.add(event(i));
  list.growTo(1);
  assert.deepEqual([list.newest().length, list.dropped], [48, 2]);
});

Deno.test("a snapshot replaces the events of its series, and nothing else", () => {
  const list = new EventList(10);
  list.add(event(0, { seriesId: "answer" }));
  list.add(event(1));
  list.add(event(2, { seriesId: "answer" }));
  list.add(event(3, { seriesId: "other" }));
  list.add(event(4, { seriesId: "answer", seriesSnapshot: true }));
  list.add(event(5, { seriesId: "answer" }));
  assert.deepEqual(indexes(list), [1, 3, 4, 5]);
  list.add(event(6, { seriesId: "answer", seriesSnapshot: true }));
  assert.deepEqual(indexes(list), [1, 3, 6]);
  assert.equal(list.dropped, 0);
});

Deno.test("a snapshot replaces its series also when some of it was dropped", () => {
  const list = new EventList(4);
  for (let i = 0; i < 40; i++) list.add(event(i, { seriesId: i % 2 ? "odd" : "even" }));
  list.add(event(40, { seriesId: "even", seriesSnapshot: true }));
  list.add(event(41, { seriesId: "odd", seriesSnapshot: true }));
  assert.deepEqual(indexes(list), [40, 41]);
});

Deno.test("EventList is empty after clear(), including its series", () => {
  const list = new EventList(2);
  for (let i = 0; i < 4; i++) list.add(event(i, { seriesId: "s" }));
  list.clear();
  assert.deepEqual([list.newest(), list.dropped], [[], 0]);
  list.add(event(0, { seriesId: "s", seriesSnapshot: true }));
  assert.equal(list.newest().length, 1);
});
