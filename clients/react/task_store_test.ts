import type { EventEnvelope } from "@taskcast/client";
import { TaskcastClient } from "@taskcast/client";
import assert from "node:assert/strict";
import { doneFrame, eventFrame } from "../../testing/servers/scripted_server.ts";
import { TaskStore } from "./task_store.ts";

/** Returns a client whose server answers every request with the same complete stream. */
function clientOf(stream: string): TaskcastClient {
  const headers = { "content-type": "text/event-stream" };
  return new TaskcastClient({
    baseUrl: "http://localhost",
    fetch: () => Promise.resolve(new Response(stream, { headers })),
  });
}

const tokens = Array.from(
  { length: 2000 },
  (_, rawIndex) =>
    eventFrame(`c${rawIndex}`, { delta: `${rawIndex} ` }, {
      rawIndex,
      seriesId: "answer",
      seriesMode: "accumulate",
    }),
).join("");

Deno.test("a burst of tokens is shown once a frame", async () => {
  const whole = Array.from({ length: 2000 }, (_, i) => `${i} `).join("");
  const store = new TaskStore(clientOf(tokens + doneFrame("end")), "t", {});
  const { promise, resolve } = Promise.withResolvers<void>();
  const shown: string[] = [];
  const startMs = performance.now();
  const unwatch = store.watch({
    seriesId: "answer",
    onChange() {
      shown.push(store.text("answer"));
      if (store.events.isDone) resolve();
    },
  });
  await promise;
  assert.equal(shown.at(-1), whole);
  const frames = 1 + (performance.now() - startMs) / 16;
  assert(shown.length <= frames, `${shown.length} times in ${frames} frames`);
  assert.equal(store.events.events.length, 1000);
  assert.equal(store.events.dropped, 1000);
  unwatch();
  store.close();
});

Deno.test("the view of hooks stays the same object until its content changes", async () => {
  const stream = eventFrame("c0", 0) + doneFrame("end");
  const store = new TaskStore(clientOf(stream), "t", {});
  const before = store.events;
  const { promise, resolve } = Promise.withResolvers<void>();
  store.watch({ onChange: resolve });
  assert.equal(store.events, before);
  await promise;
  const { events, task } = store;
  assert.notEqual(events, before);
  assert.deepEqual(events.events.map(({ data }: EventEnvelope) => data), [0]);
  assert.equal(store.events, events);
  assert.equal(store.task, task);
  assert.deepEqual(task, {
    status: "done",
    isDone: true,
    doneReason: "completed",
    error: undefined,
    task: undefined,
  });
  store.close();
});
