import assert from "node:assert/strict";
import { createDenoKvAdapters } from "@taskcast/deno-kv";
import { ObservedKv } from "../../../testing/databases/observed_kv.ts";
import { until } from "../../../testing/sse/sse.ts";
import { withFile } from "../../../testing/temp_file.ts";
import {
  append,
  commitOf,
  create,
  draft,
  INCARNATION,
  NOW,
} from "../../../testing/databases/store_steps.ts";

Deno.test("deno-kv: a task that is deleted and lives again is never read half", async () => {
  const kv = await Deno.openKv(":memory:");
  const { shortTerm: writer } = createDenoKvAdapters(kv);
  const { shortTerm: reader } = createDenoKvAdapters(kv);
  const drafts = Array.from({ length: 120 }, (_, i) =>
    draft({ d: `${i};` }, {
      type: i % 2 ? "odd" : "even",
      seriesId: `s${i % 40}`,
      seriesMode: "accumulate",
      accField: "d",
      delta: `${i};`.padStart(500),
    }));
  let isWriting = true;
  const writing = (async () => {
    for (let life = 0; life < 25; life++) {
      const task = { id: "t", status: "pending", createdAt: NOW, updatedAt: NOW } as const;
      const record = { task, incarnation: `life${life}`.padEnd(8, "0"), version: 1 };
      // Creates it with its first events, so that it never has fewer.
      const created = { taskId: "t", expect: "absent", record, due: {}, events: drafts } as const;
      assert((await commitOf(writer, created)).ok);
      await new Promise((resolve) => setTimeout(resolve, 3));
      await writer.deleteTask("t");
    }
    isWriting = false;
  })();
  let whole = 0;
  while (isWriting) {
    const [all, odd, view, counts, head] = await Promise.all([
      reader.readLog("t", { after: -1, limit: 500 }),
      reader.readLog("t", { after: -1, limit: 500, filter: { types: ["odd"] } }),
      reader.readFolds("t", { after: -1, limit: 99 }),
      reader.countMatches("t", { types: ["even"] }, [60, 120]),
      reader.getTask("t"),
    ]);
    if (all !== undefined) assert.equal(all.events.length, 120);
    if (odd !== undefined) assert.equal(odd.events.length, 60);
    if (counts !== undefined) assert.deepEqual(counts, [30, 60]);
    if (head !== undefined) assert.equal(head.length, 120);
    if (view !== undefined) {
      assert.equal(view.folds.length, 40);
      assert(view.folds.every(({ text }) => text!.length === 1_500));
      whole++;
    }
  }
  await writing;
  assert(whole > 0, "some reads came in between");
  await Promise.all([writer.close(), reader.close()]);
  kv.close();
});

Deno.test("deno-kv: two connections that publish to one task at the same time lose and double nothing", async () => {
  await withFile(async (path) => {
    const kvs = await Promise.all([Deno.openKv(path), Deno.openKv(path)]);
    const stores = kvs.map((kv) => createDenoKvAdapters(kv).shortTerm);
    await create(stores[0]!, "t");
    const publish = async (store: typeof stores[0], name: string) => {
      for (let i = 0; i < 150; i++) {
        const producer = { id: name, epoch: 0, seq: i };
        await append(store!, "t", draft(`${name}${i}`, { producer }));
      }
    };
    await Promise.all(
      stores.flatMap((store, i) => [publish(store, `a${i}-`), publish(store, `b${i}-`)]),
    );
    const { events } = (await stores[1]!.readLog("t", { after: -1, limit: 1_000 }))!;
    assert.deepEqual(events.map(({ index }) => index), events.map((_, i) => i));
    assert.equal(events.length, 600);
    for (const name of ["a0-", "b0-", "a1-", "b1-"]) {
      const own = events.map(({ data }) => JSON.parse(data)).filter((value) =>
        value.startsWith(name)
      );
      assert.deepEqual(own, Array.from({ length: 150 }, (_, i) => `${name}${i}`));
    }
    // Sent numbers are found wherever a producer's numbers are in the log.
    for (let i = 0; i < 150; i += 7) {
      const producer = { id: "b1-", epoch: 0, seq: i };
      const [stored] = await append(stores[0]!, "t", draft("again", { producer }));
      assert.equal(stored!.data, JSON.stringify(`b1-${i}`));
    }
    await Promise.all(stores.map((store) => store.close()));
    for (const kv of kvs) kv.close();
  });
});

Deno.test("deno-kv: more changes than may wait are refused, and so is one that is not valid", async () => {
  const kv = await Deno.openKv(":memory:");
  const { shortTerm } = createDenoKvAdapters(kv, { maxPending: 5, prefix: ["other"] });
  await create(shortTerm, "t");
  const results = await Promise.allSettled(
    Array.from({ length: 9 }, (_, i) => append(shortTerm, "t", draft(i))),
  );
  const refused = results.filter(({ status }) => status === "rejected");
  assert.equal(refused.length, 4);
  assert(
    refused.every((result) => "reason" in result && result.reason.code === "STORE_UNAVAILABLE"),
  );
  // A name too long for any key: it fails alone.
  const [good, bad] = await Promise.allSettled([
    append(shortTerm, "t", draft("good")),
    append(shortTerm, "t", draft("bad", { seriesId: "x".repeat(3_000) })),
  ]);
  assert.equal(good.status, "fulfilled");
  assert(bad.status === "rejected" && bad.reason.code === "INTERNAL");
  assert.equal((await shortTerm.getTask("t"))?.length, 6);
  assert.equal((await shortTerm.readNotes("t", INCARNATION))?.n, undefined);
  await shortTerm.close();
  assert.throws(() => createDenoKvAdapters(kv, { maxPending: 0 }), RangeError);
  kv.close();
  await assert.rejects(shortTerm.check(), { code: "STORE_UNAVAILABLE" });
});

Deno.test("deno-kv: a database that does not answer costs its callers an error, and what it does late is seen", async () => {
  const kv = new ObservedKv(await Deno.openKv(":memory:"));
  const { shortTerm } = createDenoKvAdapters(kv, { timeoutMs: 20 });
  await create(shortTerm, "t");
  await append(shortTerm, "t", draft(0));
  let goOn = () => {};
  kv.beforeCommit = () => new Promise<void>((resolve) => goOn = resolve);
  await assert.rejects(append(shortTerm, "t", draft(1)), {
    code: "STORE_UNAVAILABLE",
    message: "Cannot reach Deno KV: no answer within 20 ms",
  });
  kv.beforeCommit = () => {};
  goOn();
  await until(async () => (await shortTerm.getTask("t"))?.length === 2, "it was done late");
  const [stored] = await append(shortTerm, "t", draft(2));
  assert.equal(stored!.index, 2);
  await shortTerm.close();
  kv.close();
  assert.throws(() => createDenoKvAdapters(kv, { timeoutMs: 0 }), RangeError);
});

Deno.test("deno-kv: what a broken connection has sent twice is carried out once, and said so", async () => {
  const kv = new ObservedKv(await Deno.openKv(":memory:"));
  const { shortTerm: store } = createDenoKvAdapters(kv);
  kv.sendsTwice = true;
  const record = await create(store, "t");
  await Promise.all(Array.from({ length: 20 }, (_, i) => append(store, "t", draft(i))));
  const [big] = await append(store, "t", draft("x".repeat(100_000)));
  assert.equal(big!.index, 20);
  const many = Array.from({ length: 1_000 }, (_, i) => draft(i, { type: `t${i % 300}` }));
  const stored = await append(store, "t", ...many);
  assert.deepEqual([stored[0]!.index, stored.at(-1)!.index], [21, 1_020]);
  const end = { ...record, version: 2, task: { ...record.task, status: "completed" as const } };
  const expect = { version: 1, incarnation: INCARNATION };
  const ended = await commitOf(store, { taskId: "t", expect, record: end, due: {} });
  assert.equal(ended.ok, true);
  assert.equal(await store.schedule("t", "clean", NOW, { incarnation: INCARNATION }), true);
  const claim = await store.claim("clean", { nowMs: NOW, untilMs: NOW + 9, limit: 5 });
  assert.deepEqual(claim.taskIds, ["t"]);
  assert.equal(await store.trimLog("t", INCARNATION, { indexes: [0, 1, 2], series: [] }), 3);
  assert.equal((await store.getTask("t"))!.length, 1_021);
  await store.close();
  kv.close();
});
