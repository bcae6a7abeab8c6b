import assert from "node:assert/strict";
import { MemoryBroadcastProvider, TaskEngine } from "@taskcast/core";
import { delayReads, testLongTermStore, testShortTermStore } from "@taskcast/core/conformance";
import { withFile } from "../../tests/support/temp_file.ts";
import { createSqliteAdapters } from "./mod.ts";

const { test } = Deno;

testShortTermStore({
  name: "sqlite",
  open: () => createSqliteAdapters({ path: ":memory:" }).shortTerm,
  test,
});
testShortTermStore({
  name: "sqlite, slow",
  open: () => delayReads(createSqliteAdapters({ path: ":memory:" }).shortTerm, 2),
  test,
});

testLongTermStore({
  name: "sqlite archive",
  open: () => createSqliteAdapters({ path: ":memory:" }).longTerm,
  test,
});

Deno.test("sqlite: a file that is opened again has everything", async () => {
  await withFile(async (path) => {
    for (const round of [1, 2, 3]) {
      const { broadcast, shortTerm } = createSqliteAdapters({ path });
      const engine = new TaskEngine({ broadcast, shortTermStore: shortTerm });
      if (round === 1) await engine.createTask({ id: "t", tags: ["a"] });
      await engine.publishEvent("t", {
        type: "llm.delta",
        data: { delta: `${round};` },
        seriesId: "answer",
        seriesMode: "accumulate",
        producerId: "p",
        producerSeq: round - 1,
      });
      const { events } = await engine.getEvents("t", { seriesFormat: "accumulated" });
      assert.equal((events[0]!.data as { delta: string }).delta, "1;2;3;".slice(0, 2 * round));
      assert.equal((await engine.listTasks({ tag: "a" })).tasks.length, 1);
      await engine.close();
      await shortTerm.close();
    }
  });
});

Deno.test("sqlite: two connections to one file see each other and lose nothing", async () => {
  await withFile(async (path) => {
    const stores = [1, 2].map(() => createSqliteAdapters({ path }).shortTerm);
    const broadcast = new MemoryBroadcastProvider();
    const engines = stores.map((shortTermStore) => new TaskEngine({ broadcast, shortTermStore }));
    await engines[0]!.createTask({ id: "t" });
    await Promise.all(
      Array.from(
        { length: 100 },
        (_, i) => engines[i % 2]!.publishEvent("t", { type: "n", data: i }),
      ),
    );
    const { events } = await engines[1]!.getEvents("t");
    assert.deepEqual(events.map(({ index }) => index), Array.from({ length: 100 }, (_, i) => i));
    const ends = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) => engines[i % 2]!.transitionTask("t", "completed")),
    );
    assert.equal(ends.filter(({ status }) => status === "fulfilled").length, 1);
    for (const engine of engines) await engine.close();
    for (const store of stores) await store.close();
  });
});

Deno.test("sqlite: a file of a newer version is refused, and left as it is", async () => {
  await withFile(async (path) => {
    const { DatabaseSync } = await import("node:sqlite");
    const database = new DatabaseSync(path);
    database.exec("PRAGMA user_version = 99");
    database.close();
    assert.throws(() => createSqliteAdapters({ path }), /version 99.*newer program/);
  });
});
