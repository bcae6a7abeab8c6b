import assert from "node:assert/strict";
import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "../mod.ts";

Deno.test("subscribe(): an abort while it is being opened leaves nothing behind", async () => {
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
