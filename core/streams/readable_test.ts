import assert from "node:assert/strict";
import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "../mod.ts";

Deno.test("subscribe(): an abort during opening leaves nothing behind", async () => {
  const shortTermStore = new MemoryShortTermStore();
  await using engine = new TaskEngine({ broadcast: new MemoryBroadcastProvider(), shortTermStore });
  const { id } = await engine.createTask();
  const controller = new AbortController();
  const getTask = shortTermStore.getTask.bind(shortTermStore);
  shortTermStore.getTask = (taskId) => {
    controller.abort();
    return getTask(taskId);
  };
  const stream = engine.subscribe(id, { signal: controller.signal });
  const kinds = (await Array.fromAsync(stream)).map(({ kind }) => kind);
  assert(!kinds.includes("event") && !kinds.includes("done"));
  assert.equal(engine.stats.streams, 0);
});

Deno.test("subscribe(): no subscriber can change the events of another, however deep", async () => {
  await using engine = new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
  });
  const { id } = await engine.createTask();
  await engine.transitionTask(id, "running");
  const data = JSON.parse(
    '{"list":[1,{"deep":[[{}]]}],"object":{"null":null},"__proto__":{"a":[]}}',
  );
  await engine.publishEvent(id, { type: "nested", data });
  await engine.transitionTask(id, "completed");
  let objects = 0;
  const assertFrozen = (value: unknown) => {
    if (typeof value !== "object" || value === null) return;
    assert(Object.isFrozen(value), JSON.stringify(value));
    objects++;
    Object.values(value).forEach(assertFrozen);
  };
  for await (const message of engine.subscribe(id, { filter: { types: ["nested"] } })) {
    if (message.kind !== "event") continue;
    assertFrozen(message.event);
    assert.deepEqual(message.event.data, data);
  }
  assert.equal(objects, 10);
});
