import assert from "node:assert/strict";
import type { EventDraft } from "@taskcast/core/adapter";
import { openObserved } from "../../../testing/databases/open_deno_kv.ts";
import {
  append,
  create,
  draft,
  INCARNATION,
  logOf,
  NOW,
} from "../../../testing/databases/store_steps.ts";

function delta(text: string): EventDraft {
  return draft({ delta: text }, {
    seriesId: "s",
    seriesMode: "accumulate",
    accField: "delta",
    delta: text,
  });
}

Deno.test("deno-kv: publishing is one atomic operation, however long log and series are", async () => {
  const { store, kv } = await openObserved();
  await create(store, "t");
  const written: number[] = [];
  for (let i = 0; i < 1_500; i++) {
    const counts = await kv.counted(() => append(store, "t", delta(`token ${i} `)));
    assert.equal(counts.commits, 1);
    // After the first, the needed data is cached.
    if (i > 0) assert.deepEqual([counts.gets, counts.lists], [0, 0]);
    written.push(counts.written);
  }
  const most = (from: number) => Math.max(...written.slice(from, from + 500));
  assert(most(1_000) < most(0) * 1.1, `${most(0)} bytes at first, ${most(1_000)} in the end`);
  await store.close();
});

Deno.test("deno-kv: what comes together shares an atomic operation", async () => {
  const { store, kv } = await openObserved();
  await create(store, "t");
  await append(store, "t", delta("a"));
  const counts = await kv.counted(async () => {
    await Promise.all(Array.from({ length: 60 }, (_, i) => append(store, "t", delta(`${i}`))));
  });
  assert(counts.commits <= 3, `${counts.commits} operations for 60 commits`);
  assert.equal(counts.gets, 0);
  await store.close();
});

Deno.test("deno-kv: a read costs what it returns, also from the middle of a long log", async () => {
  const { store, kv } = await openObserved();
  await create(store, "t");
  for (let i = 0; i < 20; i++) {
    const events = Array.from(
      { length: 150 },
      (_, n) => n === 75 ? draft(n, { type: "rare" }) : n % 2 ? draft(n) : delta(`${i}.${n} `),
    );
    await append(store, "t", ...events);
  }
  const page = async (query: object) => {
    const counts = await kv.counted(async () => {
      const found = await store.readLog("t", { after: 1_499, limit: 10, ...query });
      assert.equal(found!.events.length, 10);
    });
    return counts.gets + counts.lists + counts.listed;
  };
  assert(await page({}) <= 12);
  assert(await page({ backward: true }) <= 12);
  assert(await page({ standalone: true }) <= 20);
  assert(await page({ filter: { types: ["rare"] } }) <= 40);
  const counted = await kv.counted(() =>
    store.countMatches("t", { types: ["rare"] }, [10, 1_500, 2_900])
  );
  assert(counted.gets + counted.lists + counted.listed <= 20);
  const view = await kv.counted(() => store.readFolds("t", { after: 2_980, limit: 99 }));
  assert(view.listed < 50, `${view.listed} entries for a text of ${150 * 20 * 4} characters`);
  const nothing = await kv.counted(() => store.readFolds("t", { after: 2_999, limit: 99 }));
  assert.deepEqual([nothing.gets, nothing.lists, nothing.listed], [1, 1, 1]);
  await store.close();
});

Deno.test("deno-kv: lists read few tasks besides those that they return", async () => {
  const { store, kv } = await openObserved();
  for (let i = 0; i < 200; i++) {
    await create(store, `t${i}`, {
      createdAt: NOW + i,
      type: i % 50 === 0 ? "rare" : "usual",
      tags: i % 40 === 0 ? ["tagged"] : [],
      status: i % 25 === 0 ? "running" : "pending",
    });
  }
  const cost = async (query: object, length: number) => {
    const counts = await kv.counted(async () => {
      assert.equal((await store.listTasks({ limit: 10, ...query })).tasks.length, length);
    });
    return counts.gets + counts.listed;
  };
  assert(await cost({}, 10) <= 15);
  assert(await cost({ types: ["rare"] }, 4) <= 6);
  assert(await cost({ tag: "tagged" }, 5) <= 8);
  assert(await cost({ statuses: ["running"] }, 8) <= 12);
  assert(await cost({ after: { createdAt: NOW + 100, id: "t100" } }, 10) <= 15);
  await store.close();
});

Deno.test("deno-kv: looking for due work reads its beginning only", async () => {
  const { store, kv } = await openObserved();
  for (let i = 0; i < 100; i++) {
    await create(store, `t${i}`);
    await store.schedule(`t${i}`, "clean", NOW + i, { incarnation: INCARNATION });
  }
  const claim = await kv.counted(async () => {
    const claimed = await store.claim("clean", { nowMs: NOW + 3, untilMs: NOW + 500, limit: 2 });
    assert.deepEqual(claimed, { taskIds: ["t0", "t1"], oldestAtMs: NOW, nextAtMs: NOW + 2 });
  });
  assert.deepEqual([claim.lists, claim.listed, claim.commits], [1, 3, 2]);
  const none = await kv.counted(() =>
    store.claim("archive", { nowMs: NOW, untilMs: NOW, limit: 9 })
  );
  assert.deepEqual([none.gets, none.lists, none.listed], [0, 1, 0]);
  await store.close();
});

Deno.test("deno-kv: what many classes match is found by looking at a part of the log at a time", async () => {
  const { store, kv } = await openObserved();
  await create(store, "t");
  for (let i = 0; i < 30; i++) {
    await append(store, "t", ...Array.from({ length: 100 }, (_, n) => draft(n, { type: `a${n}` })));
  }
  await append(store, "t", draft("last", { type: "b.x" }));
  const types = [...Array.from({ length: 50 }, (_, i) => `a${i}`), "b.*"];
  for (const backward of [false, true]) {
    const found: number[] = [];
    let [after, through] = [-1, 3_000];
    for (let pages = 0; pages < 9; pages++) {
      const query = { after, through, limit: 5_000, backward, filter: { types } };
      const counts = await kv.counted(async () => {
        const page = (await store.readLog("t", query))!;
        found.push(...page.events.map(({ index }) => index));
        if (backward) through = page.scannedTo - 1;
        else after = page.scannedTo;
      });
      assert(counts.listed <= 2_200);
      if (backward ? through < 0 : after === 3_000) break;
    }
    const wanted = (await logOf(store, "t")).filter(({ index }) =>
      index % 100 < 50 || index === 3_000
    );
    const indexes = wanted.map(({ index }) => index);
    assert.deepEqual(found, backward ? indexes.toReversed() : indexes);
  }
  await store.close();
});
