import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import type { EventDraft, ShortTermStore } from "@taskcast/core/adapter";
import { MemoryBroadcastProvider, TaskEngine } from "@taskcast/core";
import {
  delayReads,
  testBroadcast,
  testLongTermStore,
  testShortTermStore,
} from "@taskcast/core/conformance";
import { until } from "../../../testing/sse/sse.ts";
import { withFile } from "../../../testing/temp_file.ts";
import { createSqliteAdapters } from "../mod.ts";

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

Deno.test("sqlite: a commit that cannot be stored fails alone in a shared transaction", async () => {
  const { broadcast, shortTerm } = createSqliteAdapters({ path: ":memory:" });
  const engine = new TaskEngine({ broadcast, shortTermStore: shortTerm, options: { sweepMs: 0 } });
  await Promise.all(["a", "b", "c"].map((id) => engine.createTask({ id })));
  const bounds = { maxEvents: 1_000, maxBytes: 1e12 };
  const commit = (taskId: string, draft: object = {}) => {
    const event = { type: "n", level: "info", data: "1", entropy: 1, ...draft } as EventDraft;
    return shortTerm.commit({ taskId, expect: "live", events: [event], nowMs: 1, ...bounds })
      .then(({ ok }) => ok ? "ok" : "refused", () => "failed");
  };
  const lengths = () =>
    Promise.all(["a", "b", "c"].map(async (id) => (await shortTerm.getTask(id))?.length));
  const before = (await lengths())[0]!;
  // The engine would never make such a commit; the fault shows only on writing.
  for (const poison of [{ entropy: null }, { entropy: {} }]) {
    const commits = [commit("a"), commit("b", poison), commit("c"), commit("b"), commit("a")];
    assert.deepEqual(await Promise.all(commits), ["ok", "failed", "ok", "ok", "ok"]);
  }
  assert.deepEqual((await lengths()).map((length) => length! - before), [4, 2, 2]);
  const head = (await shortTerm.getTask("c"))!;
  const at = { ...head.record, length: head.length + 1 };
  const inOrder = [commit("c"), shortTerm.deleteTask("c", at), commit("c"), commit("a")];
  assert.deepEqual(await Promise.all(inOrder), ["ok", true, "refused", "ok"]);
  assert.deepEqual(await lengths(), [before + 5, before + 2, undefined]);
  await engine.close();
  await broadcast.close();
  await shortTerm.close();
});

Deno.test("sqlite: a file of a newer version is refused and left unchanged", async () => {
  await withFile(async (path) => {
    const { DatabaseSync } = await import("node:sqlite");
    const database = new DatabaseSync(path);
    database.exec("PRAGMA user_version = 99");
    database.close();
    assert.throws(() => createSqliteAdapters({ path }), /version 99.*newer program/);
  });
});

Deno.test("sqlite: a database is for one set of stores", async () => {
  const database = new DatabaseSync(":memory:");
  const { shortTerm } = createSqliteAdapters({ database });
  assert.throws(() => createSqliteAdapters({ database }), /has stores already/);
  await shortTerm.check(); // The store still works.
  await shortTerm.close();
});

testBroadcast({
  name: "sqlite broadcast",
  open() {
    const { broadcast, shortTerm } = createSqliteAdapters({ path: ":memory:" });
    return {
      publisher: broadcast,
      subscriber: broadcast,
      async close() {
        await broadcast.close();
        await shortTerm.close();
      },
    };
  },
  test,
});

Deno.test("sqlite: a reader is told within a moment of what another process writes", async () => {
  await withFile(async (path) => {
    const [here, there] = [1, 2].map(() => {
      const { broadcast, shortTerm } = createSqliteAdapters({ path });
      // No poll would come in time.
      const options = { pollMs: 3_600_000 };
      return {
        shortTerm,
        engine: new TaskEngine({ broadcast, shortTermStore: shortTerm, options }),
      };
    }) as [Opened, Opened];
    await here.engine.createTask({ id: "t" });
    const seen: unknown[] = [];
    const reading = (async () => {
      for await (const message of here.engine.subscribe("t", { filter: { types: ["n"] } })) {
        if (message.kind === "event") seen.push(message.event.data);
      }
    })();
    for (let i = 0; i < 3; i++) {
      await there.engine.publishEvent("t", { type: "n", data: i });
      await until(() => seen.length === i + 1, "the event has come");
    }
    await there.engine.transitionTask("t", "completed");
    await reading;
    for (const { engine, shortTerm } of [here, there]) {
      await engine.close();
      await shortTerm.close();
    }
  });
});

interface Opened {
  engine: TaskEngine;
  shortTerm: ShortTermStore;
}

/**
 * Creates a task "t" in a file, and a function that shrinks the disk: the store then reports a full
 * one.
 */
async function onSmallDisk(path: string): Promise<Opened & { leave: (pages: number) => void }> {
  const database = new DatabaseSync(path);
  const { broadcast, shortTerm } = createSqliteAdapters({ database });
  const engine = new TaskEngine({ broadcast, shortTermStore: shortTerm });
  await engine.createTask({ id: "t" });
  const { page_count: used } = database.prepare("PRAGMA page_count").get() as {
    page_count: number;
  };
  const leave = (pages: number) => database.exec(`PRAGMA max_page_count = ${used + pages}`);
  return { engine, shortTerm, leave };
}

Deno.test("sqlite: a full disk refuses whole commits that do not fit, and loses nothing else", async () => {
  await withFile(async (path) => {
    const { engine, shortTerm, leave } = await onSmallDisk(path);
    leave(40);
    const batch = Array.from({ length: 5 }, () => ({ type: "n", data: "x".repeat(2_000) }));
    let stored = 0;
    await assert.rejects(async () => {
      for (;;) stored += (await engine.publishEvents("t", batch)).length;
    }, { code: "STORE_FULL" });
    assert(stored > 0);
    assert.equal((await engine.getEvents("t")).events.length, stored);
    leave(1_000);
    await engine.publishEvents("t", batch);
    assert.equal((await engine.getEvents("t")).events.length, stored + 5);
    await engine.close();
    await shortTerm.close();
  });
});

Deno.test("sqlite: on a full disk, exactly the acknowledged commits of a turn are stored", async () => {
  await withFile(async (path) => {
    const { engine, shortTerm, leave } = await onSmallDisk(path);
    leave(8);
    const texts = ["a", "x".repeat(100_000), "b", "c"];
    const results = await Promise.allSettled(
      texts.map((data) => engine.publishEvent("t", { type: "n", data })),
    );
    assert.deepEqual(results.map(({ status }) => status), [
      "fulfilled",
      "rejected",
      "fulfilled",
      "fulfilled",
    ]);
    const [failed] = results.filter((result) => result.status === "rejected");
    assert.equal(failed!.reason.code, "STORE_FULL");
    const told = results.flatMap((result) => result.status === "fulfilled" ? [result.value] : []);
    assert.deepEqual((await engine.getEvents("t")).events, told);
    assert.deepEqual(told.map(({ data }) => data), ["a", "b", "c"]);
    await engine.close();
    await shortTerm.close();
  });
});

Deno.test("sqlite: while another process writes, writes wait and this process stays responsive", async () => {
  await withFile(async (path) => {
    const { broadcast, shortTerm } = createSqliteAdapters({ path });
    const engine = new TaskEngine({ broadcast, shortTermStore: shortTerm });
    await engine.createTask({ id: "t" });
    const other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    const publishing = Promise.all(
      Array.from({ length: 20 }, (_, data) => engine.publishEvent("t", { type: "n", data })),
    );
    // Meanwhile timers run and reads are answered.
    for (let turn = 0; turn < 20; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      assert.equal((await engine.getTask("t"))?.lastIndex, -1);
    }
    other.exec("COMMIT");
    const indexes = (await publishing).map(({ index }) => index);
    assert.deepEqual(indexes, Array.from({ length: 20 }, (_, i) => i));

    other.exec("BEGIN IMMEDIATE");
    const late = assert.rejects(engine.publishEvent("t", { type: "n", data: 0 }), {
      code: "STORE_UNAVAILABLE",
    });
    await engine.close();
    await shortTerm.close(); // Does not wait for the other process.
    await late;
    other.exec("COMMIT");
    other.close();
  });
});
