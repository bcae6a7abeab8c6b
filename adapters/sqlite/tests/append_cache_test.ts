import assert from "node:assert/strict";
import { MemoryBroadcastProvider, TaskEngine } from "@taskcast/core";
import type { EventInput } from "@taskcast/core";
import type { ShortTermStore } from "@taskcast/core/adapter";
import { withFile } from "../../../testing/temp_file.ts";
import { createSqliteAdapters } from "../mod.ts";

const PLAIN: EventInput = { type: "n", data: 0 };

/** Runs a test with engines on two connections to one file. */
async function withTwo(
  run: (here: TaskEngine, there: TaskEngine, store: ShortTermStore) => Promise<void>,
) {
  await withFile(async (path) => {
    const stores = [1, 2].map(() => createSqliteAdapters({ path }).shortTerm);
    const broadcast = new MemoryBroadcastProvider();
    const options = { sweepMs: 0 };
    const [here, there] = stores.map((shortTermStore) =>
      new TaskEngine({ broadcast, shortTermStore, options })
    ) as [TaskEngine, TaskEngine];
    await run(here, there, stores[1]!);
    for (const engine of [here, there]) await engine.close();
    for (const store of stores) await store.close();
  });
}

Deno.test("sqlite: cached state of a log is dropped when another process writes", async () => {
  await withTwo(async (here, there, store) => {
    await here.createTask({ id: "t" });
    await here.publishEvent("t", PLAIN);
    await there.publishEvents("t", [PLAIN, { ...PLAIN, type: "other" }]);
    await there.publishEvent("t", { ...PLAIN, seriesId: "s", seriesMode: "latest" });
    await assert.rejects(
      here.publishEvent("t", { ...PLAIN, seriesId: "s", seriesMode: "keep-all" }),
      { code: "SERIES_CONFLICT" },
    );
    assert.equal((await here.publishEvent("t", { ...PLAIN, type: "other" })).index, 4);
    const others = { types: ["other"] };
    assert.deepEqual(await store.countMatches("t", others, [2, 3, 4, 5]), [0, 1, 1, 2]);
    const { events } = (await store.readLog("t", { after: -1, limit: 9, filter: others }))!;
    assert.deepEqual(events.map(({ index }) => index), [2, 4]);
    await there.transitionTask("t", "completed");
    await assert.rejects(here.publishEvent("t", PLAIN), { code: "TASK_TERMINAL" });
  });
});

Deno.test("sqlite: cached state of a log does not outlive its task, even if another process deletes it", async () => {
  await withTwo(async (here, there) => {
    for (const engine of [here, there]) {
      await here.createTask({ id: "t" });
      await here.publishEvents("t", [PLAIN, PLAIN]);
      await engine.deleteTask("t");
      await assert.rejects(here.publishEvent("t", PLAIN), { code: "TASK_NOT_FOUND" });
      await engine.createTask({ id: "t" });
      assert.equal((await here.publishEvent("t", PLAIN)).index, 0);
      await engine.deleteTask("t");
    }
  });
});

Deno.test("sqlite: a log that was written to takes no more events when its task has ended", async () => {
  await withTwo(async (here) => {
    await here.createTask({ id: "t" });
    await here.publishEvent("t", PLAIN);
    await here.transitionTask("t", "completed");
    await assert.rejects(here.publishEvent("t", PLAIN), { code: "TASK_TERMINAL" });
  });
});

Deno.test("sqlite: logs are written in turns, however many they are", async () => {
  await withTwo(async (here) => {
    const ids = Array.from({ length: 1_100 }, (_, i) => `t${i}`);
    await Promise.all(ids.map((id) => here.createTask({ id })));
    const wide = Array.from(
      { length: 150 },
      (_, i) => ({ ...PLAIN, type: `n${i}`, seriesId: `${i}` }),
    );
    for (const from of [0, 1, 2]) {
      const published = await Promise.all(ids.map((id) => here.publishEvent(id, PLAIN)));
      assert(published.every(({ index }) => index === from));
      await here.publishEvents("t7", wide);
      await here.deleteTask("t7");
      await here.createTask({ id: "t7" });
      await here.publishEvents("t7", Array.from({ length: from + 1 }, () => PLAIN));
    }
  });
});
