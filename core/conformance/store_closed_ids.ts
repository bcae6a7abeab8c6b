import assert from "node:assert/strict";
import type { ShortTermStore } from "../contracts/short_term_store.ts";
import {
  append,
  assertRefused,
  commit,
  create,
  draft,
  INCARNATION,
  NOW,
  record,
} from "./store_fixtures.ts";
import type { Check } from "./suite.ts";

const HOUR_MS = 3_600_000;
const EXISTS = { code: "EXISTS" } as const;
const CLOSING = { nowMs: NOW, untilMs: NOW + HOUR_MS };

async function tryCreate(store: ShortTermStore, taskId: string, nowMs = NOW) {
  return await commit(store, { taskId, expect: "absent", record: record(taskId), due: {}, nowMs });
}

/** Checks of tombstones, which close the ids of released tasks for some time. */
export const CLOSED_ID_CHECKS: readonly Check<ShortTermStore>[] = [
  {
    title: "deleteTask() with a tombstone reserves the id until the tombstone expires",
    async run(store) {
      await create(store, "t");
      await append(store, "t", draft());
      assert.equal(await store.deleteTask("t", { incarnation: INCARNATION }, CLOSING), true);
      assert.equal(await store.getTask("t"), undefined);
      assert.deepEqual(await store.listTasks({ limit: 9 }), { tasks: [], more: false });
      assertRefused(await tryCreate(store, "t"), EXISTS);
      assertRefused(await tryCreate(store, "t", NOW + HOUR_MS - 1), EXISTS);
      const live = await commit(store, { taskId: "t", expect: "live", events: [draft()] });
      assertRefused(live, { code: "ABSENT" });
      assert((await tryCreate(store, "other")).ok);
      assert((await tryCreate(store, "t", NOW + HOUR_MS)).ok);
      assert.equal((await store.getTask("t"))?.length, 0);
    },
  },
  {
    title: "deleteTask() leaves no tombstone if it deletes nothing",
    async run(store) {
      assert.equal(await store.deleteTask("t", { incarnation: INCARNATION }, CLOSING), false);
      assert((await tryCreate(store, "t")).ok);
      const elsewhere = { incarnation: INCARNATION, version: 1, length: 7 };
      assert.equal(await store.deleteTask("t", elsewhere, CLOSING), false);
      assert.equal(await store.deleteTask("t", { incarnation: "another0" }, CLOSING), false);
      assert.equal(await store.deleteTask("t"), true);
      assert((await tryCreate(store, "t")).ok);
    },
  },
  {
    title: "deleteTask() with an incarnation removes the tombstone of that incarnation only",
    async run(store) {
      for (const at of [{ incarnation: INCARNATION }, undefined]) {
        await create(store, "t");
        await store.deleteTask("t", { incarnation: INCARNATION }, CLOSING);
        assert.equal(await store.deleteTask("t", { incarnation: "another0" }), false);
        assertRefused(await tryCreate(store, "t"), EXISTS);
        assert.equal(await store.deleteTask("t", at), false);
        assert((await tryCreate(store, "t")).ok);
        await store.deleteTask("t");
      }
    },
  },
  {
    title: "no creation succeeds between a release and its tombstone",
    async run(store) {
      const ids = Array.from({ length: 20 }, (_, i) => `t${i}`);
      for (const id of ids) await create(store, id);
      const [created] = await Promise.all([
        Promise.all(ids.map((id) => tryCreate(store, id))),
        Promise.all(ids.map((id) => store.deleteTask(id, { incarnation: INCARNATION }, CLOSING))),
      ]);
      for (const result of created) assertRefused(result, EXISTS);
      for (const id of ids) assert.equal(await store.getTask(id), undefined);
    },
  },
  {
    title: "commit() with a version may move a task to another incarnation",
    async run(store) {
      await create(store, "t", { tags: ["a"] });
      await append(store, "t", draft(1));
      const other = {
        ...record("t", { status: "cancelled", tags: ["a"] }, 2),
        incarnation: "other000",
      };
      const expect = { version: 1, incarnation: INCARNATION };
      assert((await commit(store, { taskId: "t", expect, record: other, due: {} })).ok);
      assert.deepEqual(await store.getTask("t"), { record: other, length: 1 });
      assert.equal((await store.readLog("t", { after: -1, limit: 9 }))?.incarnation, "other000");
      assert.equal((await store.readFolds("t", { after: -1, limit: 9 }))?.incarnation, "other000");
      assertRefused(await commit(store, { taskId: "t", expect, record: other }), {
        code: "CONFLICT",
      });
      assert.equal(await store.readNotes("t", INCARNATION), undefined);
      assert.equal(await store.schedule("t", "archive", NOW, { incarnation: INCARNATION }), false);
      assert.equal(await store.deleteTask("t", { incarnation: INCARNATION }), false);
      assert.equal(await store.deleteTask("t", { incarnation: "other000" }), true);
    },
  },
];
