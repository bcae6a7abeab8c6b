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

Deno.test("journal store: what was acknowledged is there again, a line that was cut off is not", async () => {
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
