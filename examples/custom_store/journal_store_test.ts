import assert from "node:assert/strict";
import { MemoryBroadcastProvider, TaskEngine } from "@taskcast/core";
import { delayReads, testShortTermStore } from "@taskcast/core/conformance";
import { JournalStore } from "./journal_store.ts";

const { test } = Deno;

async function openNew(): Promise<JournalStore> {
  return await JournalStore.open(`${await Deno.makeTempDir()}/tasks.journal`);
}

testShortTermStore({ name: "journal store", open: openNew, test });
testShortTermStore({
  name: "journal store, slow",
  open: async () => delayReads(await openNew()),
  test,
});

Deno.test("journal store: acknowledged changes are restored, and a truncated line is not", async () => {
  const path = `${await Deno.makeTempDir()}/tasks.journal`;
  for (const round of [1, 2, 3]) {
    const shortTermStore = await JournalStore.open(path);
    const engine = new TaskEngine({ broadcast: new MemoryBroadcastProvider(), shortTermStore });
    if (round === 1) await engine.createTask({ id: "t" });
    await engine.publishEvent("t", { type: "n", data: round });
    const { events } = await engine.getEvents("t");
    assert.deepEqual(events.map(({ data }) => data), [1, 2, 3].slice(0, round));
    await engine.close();
    await shortTermStore.close();
    await Deno.writeTextFile(path, '["commit",{"taskId":"t","expe', { append: true });
    await Deno.writeTextFile(path, "\n", { append: true });
  }
});

Deno.test("journal store: schedules, notes and trims are restored", async () => {
  const path = `${await Deno.makeTempDir()}/tasks.journal`;
  const first = await JournalStore.open(path);
  const engine = new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: first,
  });
  await engine.createTask({ id: "t" });
  for (const data of [0, 1, 2]) await engine.publishEvent("t", { type: "n", data });
  await engine.transitionTask("t", "completed");
  await engine.close();
  const { incarnation } = (await first.getTask("t"))!.record;
  await first.trimLog("t", incarnation, { indexes: [1], series: [] });
  await first.schedule("t", "undelivered", 5, { incarnation });
  await first.schedule("t", "clean", 5, { incarnation });
  await first.schedule("t", "clean", undefined, { incarnation });
  await first.writeNote("t", incarnation, "n", { from: undefined, to: "1" });
  await first.close();

  const second = await JournalStore.open(path);
  const page = await second.readLog("t", { after: -1, limit: 9 });
  assert.deepEqual(page!.events.map(({ index }) => index), [0, 2, 3]);
  assert.deepEqual(await second.scheduled("undelivered", { limit: 9 }), [{ taskId: "t", atMs: 5 }]);
  assert.deepEqual(await second.scheduled("clean", { limit: 9 }), []);
  assert.deepEqual(await second.readNotes("t", incarnation), { n: "1" });
  await second.close();
});
