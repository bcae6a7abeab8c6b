import assert from "node:assert/strict";
import { TaskEngine } from "../engine/engine.ts";
import { TaskcastError } from "../protocol/errors.ts";
import { MemoryBroadcastProvider } from "./broadcast.ts";
import { MemoryShortTermStore } from "./short_term_store.ts";

function setUp(maxBytes: number): { engine: TaskEngine; store: MemoryShortTermStore } {
  const store = new MemoryShortTermStore({ maxBytes });
  const engine = new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: store,
  });
  return { engine, store };
}

const kilobyte = "x".repeat(1000);

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof TaskcastError && error.code === code;
}

Deno.test("a store at its bound gives up the tasks that ended longest ago, and only these", async () => {
  const { engine, store } = setUp(20_000);
  await using _ = engine;
  for (const id of ["old", "older-but-running", "young"]) {
    await engine.createTask({ id });
    await engine.publishEvent(id, { type: "a", data: kilobyte });
  }
  await engine.transitionTask("old", "cancelled");
  await engine.transitionTask("young", "cancelled");
  await engine.createTask({ id: "new" });
  while (await engine.getTask("old") !== undefined) {
    await engine.publishEvent("new", { type: "a", data: kilobyte });
    assert(store.bytes <= 20_000);
  }
  assert(await engine.getTask("young"));
  while (await engine.getTask("young") !== undefined) {
    await engine.publishEvent("new", { type: "a", data: kilobyte });
  }
  assert(await engine.getTask("older-but-running"));
});

Deno.test("a store full of live tasks refuses to grow, loses nothing, and lets tasks end", async () => {
  const { engine, store } = setUp(10_000);
  await using _ = engine;
  await engine.createTask({ id: "t" });
  let published = 0;
  await assert.rejects(async () => {
    for (;;) {
      await engine.publishEvent("t", { type: "a", data: kilobyte });
      published++;
    }
  }, hasCode("STORE_FULL"));
  assert(published > 3);
  await assert.rejects(engine.createTask({ params: { kilobyte } }), hasCode("STORE_FULL"));
  const { events } = await engine.getEvents("t");
  assert.equal(events.length, published);
  await engine.transitionTask("t", "cancelled");
  assert.equal((await engine.getTask("t"))?.status, "cancelled");
  // The task that ended can now be removed to make room.
  await engine.createTask({ id: "next", params: { kilobyte } });
  assert(store.bytes <= 10_000);
});

Deno.test("deleting gives back every byte that was counted", async () => {
  const { engine, store } = setUp(1_000_000);
  await using _ = engine;
  for (let i = 0; i < 5; i++) {
    const { id } = await engine.createTask({ type: "a", tags: ["x"], ttl: 100 });
    await engine.publishEvents(
      id,
      Array.from({ length: 20 }, (_, j) => ({
        type: "t",
        data: { delta: `${j}` },
        seriesId: "s",
        seriesMode: "accumulate" as const,
      })),
    );
    await engine.transitionTask(id, "running");
    await engine.transitionTask(id, "completed", { result: { kilobyte } });
    await engine.deleteTask(id);
  }
  assert.equal(store.bytes, 0);
});
