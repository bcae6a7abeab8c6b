import assert from "node:assert/strict";
import { collectGarbage } from "../garbage.ts";
import { Keys } from "../keys.ts";
import type { Kv, KvKey } from "../connection/kv.ts";
import { until } from "../../../testing/sse/sse.ts";
import { openObserved } from "../../../testing/databases/open_deno_kv.ts";
import {
  append,
  commitOf,
  create,
  draft,
  INCARNATION,
  logOf,
  NOW,
} from "../../../testing/databases/store_steps.ts";

/** More than ten minutes from now, when no commit can still be in progress. */
const LATER_MS = 700_000;

async function keysOf(kv: Kv): Promise<KvKey[]> {
  const entries = await Array.fromAsync(kv.list({ prefix: ["taskcast"] }));
  return entries.map(({ key }) => key).filter((key) => key[1] !== "wake");
}

function big(value: number): string {
  return `${value}`.padEnd(100_000, "x");
}

Deno.test("deno-kv: a deleted task leaves nothing in the database", async () => {
  const { store, kv } = await openObserved();
  await create(store, "t", { type: "job", tags: ["a", "b"], params: { big: big(1) } });
  const accumulated = { seriesId: "s", seriesMode: "accumulate", accField: "d" } as const;
  for (let i = 0; i < 30; i++) {
    const producer = { id: "p", epoch: 0, seq: i };
    await append(store, "t", draft(big(i), { ...accumulated, delta: big(i), producer }), draft(i));
  }
  await append(store, "t", draft({ d: 1 }, accumulated)); // Not a string: the text starts again.
  await append(
    store,
    "t",
    ...Array.from({ length: 1_000 }, (_, i) => draft(i, { type: `${i % 200}` })),
  );
  await store.writeNote("t", INCARNATION, "n", { from: undefined, to: big(1) });
  await store.schedule("t", "archive", NOW, { incarnation: INCARNATION });
  const record = {
    task: { id: "t", status: "completed", createdAt: NOW, updatedAt: NOW } as const,
    incarnation: INCARNATION,
    version: 2,
  };
  const expect = { version: 1, incarnation: INCARNATION };
  await commitOf(store, {
    taskId: "t",
    expect,
    record,
    due: { wake: NOW },
    events: [draft("end")],
  });
  await store.trimLog("t", INCARNATION, { indexes: [0, 1, 2, 3, 58, 60], series: ["s"] });
  assert((await keysOf(kv)).length > 1_000);
  assert.equal(await store.deleteTask("t"), true);
  await until(async () => (await keysOf(kv)).length === 0, "everything is removed");
  await store.close();
});

Deno.test("deno-kv: what a crashed commit left is removed later, and not before", async () => {
  const { store, kv } = await openObserved();
  const database = { kv, keys: new Keys(["taskcast"]) };
  await create(store, "t");
  await append(store, "t", draft(big(0)));
  const before = await keysOf(kv);
  kv.counts.commits = 0;
  kv.beforeCommit = (count) => {
    // The note and the chunks are written, the commit is not.
    if (count === 3) throw new TypeError("the process is dead");
  };
  await assert.rejects(append(store, "t", draft(big(1))), { code: "STORE_UNAVAILABLE" });
  kv.beforeCommit = () => {};
  const left = (await keysOf(kv)).length;
  assert(left > before.length);
  await collectGarbage(database, Date.now());
  assert.equal((await keysOf(kv)).length, left);
  await collectGarbage(database, Date.now() + LATER_MS);
  assert.deepEqual(await keysOf(kv), before);
  assert.equal(JSON.parse((await logOf(store, "t"))[0]!.data), big(0));
  await store.close();
});

Deno.test("deno-kv: a commit whose chunks were collected as garbage writes them again", async () => {
  const { store, kv } = await openObserved();
  const database = { kv, keys: new Keys(["taskcast"]) };
  await create(store, "t");
  kv.counts.commits = 0;
  kv.beforeCommit = async (count) => {
    if (count === 3) await collectGarbage(database, Date.now() + LATER_MS);
  };
  await append(store, "t", draft(big(1)));
  kv.beforeCommit = () => {};
  assert(kv.counts.commits > 6, "it was tried again");
  assert.equal(JSON.parse((await logOf(store, "t"))[0]!.data), big(1));
  await store.close();
});
