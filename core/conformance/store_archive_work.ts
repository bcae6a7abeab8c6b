import assert from "node:assert/strict";
import type { TaskRevision } from "../contracts/records.ts";
import type { ShortTermStore } from "../contracts/short_term_store.ts";
import type { ClaimedWork } from "../contracts/work_queue.ts";
import { commit, create, draft, INCARNATION, NOW, record } from "./store_fixtures.ts";
import type { Check } from "./suite.ts";

/** Appends an event and schedules the task for the archive. */
async function write(store: ShortTermStore, taskId: string, archiveAtMs = NOW): Promise<void> {
  const result = await commit(store, {
    taskId,
    expect: "live",
    events: [draft()],
    schedule: { archive: archiveAtMs },
  });
  assert(result.ok);
}

async function claim(
  store: ShortTermStore,
  { work = "archive", nowMs = NOW, untilMs = NOW + 100, limit = 10 }: {
    work?: "archive" | "release";
    nowMs?: number;
    untilMs?: number;
    limit?: number;
  } = {},
): Promise<ClaimedWork> {
  return await store.claim(work, { nowMs, untilMs, limit });
}

function at(length: number, version = 1): TaskRevision {
  return { incarnation: INCARNATION, version, length };
}

const AGAIN = { againAtMs: NOW + 7 };

/** Checks of archive scheduling. */
export const ARCHIVE_WORK_CHECKS: readonly Check<ShortTermStore>[] = [
  {
    title: "claim() returns nothing if no commit scheduled work",
    async run(store) {
      await create(store, "t");
      assert.deepEqual(await claim(store), { taskIds: [] });
      assert.deepEqual(await claim(store, { work: "release" }), { taskIds: [] });
    },
  },
  {
    title:
      "claim() gives scheduled tasks, earliest first, to one caller, and again once the claim expires",
    async run(store) {
      await create(store, "b");
      await write(store, "b", NOW - 1);
      await write(store, "b", NOW + 50); // The first time remains.
      const created = { record: record("a"), due: {}, schedule: { archive: NOW - 2 } };
      assert((await commit(store, { taskId: "a", expect: "absent", ...created })).ok);
      await create(store, "later");
      await write(store, "later", NOW + 20);
      assert.deepEqual(await claim(store, { limit: 1 }), {
        taskIds: ["a"],
        oldestAtMs: NOW - 2,
        nextAtMs: NOW - 1,
      });
      assert.deepEqual(await claim(store), {
        taskIds: ["b"],
        oldestAtMs: NOW - 1,
        nextAtMs: NOW + 20,
      });
      assert.deepEqual((await claim(store)).taskIds, []);
      const late = await claim(store, { nowMs: NOW + 100, untilMs: NOW + 200 });
      assert.deepEqual(late.taskIds.toSorted(), ["a", "b", "later"]);
      assert.equal(late.taskIds[0], "later");
      assert.equal(late.nextAtMs, undefined);
    },
  },
  {
    title: "claim() gives each task to one of many concurrent callers",
    async run(store) {
      const ids = Array.from({ length: 20 }, (_, i) => `t${i}`);
      for (const id of ids) {
        await create(store, id);
        await write(store, id);
      }
      const claims = await Promise.all(ids.map(() => claim(store, { limit: 3 })));
      assert.deepEqual(claims.flatMap(({ taskIds }) => taskIds).toSorted(), ids.toSorted());
    },
  },
  {
    title: "archived() unschedules a task that is still at the archived revision",
    async run(store) {
      await create(store, "t");
      await write(store, "t");
      await claim(store);
      assert.equal(await store.archived("t", at(1), { ...AGAIN, releaseAtMs: NOW + 9 }), true);
      assert.deepEqual(await claim(store, { nowMs: NOW + 1_000 }), { taskIds: [] });
      assert.deepEqual(await claim(store, { work: "release" }), {
        taskIds: [],
        nextAtMs: NOW + 9,
      });
      const release = await claim(store, { work: "release", nowMs: NOW + 9, untilMs: NOW + 30 });
      assert.deepEqual(release, { taskIds: ["t"], oldestAtMs: NOW + 9 });
    },
  },
  {
    title: "archived() schedules a task again if anything in it changed",
    async run(store) {
      await create(store, "t");
      await write(store, "t");
      const elsewhere = [at(0), at(2), at(1, 2), { ...at(1), incarnation: "another0" }];
      for (const revision of elsewhere) {
        await claim(store, { nowMs: NOW + 50 });
        assert.equal(await store.archived("t", revision, { ...AGAIN, releaseAtMs: NOW }), false);
        assert.deepEqual(await claim(store), { taskIds: [], nextAtMs: NOW + 7 });
      }
      assert.deepEqual(await claim(store, { work: "release" }), { taskIds: [] });
      assert.equal(await store.archived("absent", at(0), AGAIN), false);
    },
  },
  {
    title: "deleteTask() at a revision deletes exactly that revision, with its schedule",
    async run(store) {
      await create(store, "t");
      await write(store, "t");
      for (const revision of [at(0), at(1, 2), { ...at(1), incarnation: "another0" }]) {
        assert.equal(await store.deleteTask("t", revision), false);
      }
      assert.equal((await store.getTask("t"))?.length, 1);
      await store.archived("t", at(1), { ...AGAIN, releaseAtMs: NOW });
      assert.equal(await store.deleteTask("t", at(1)), true);
      assert.equal(await store.getTask("t"), undefined);
      for (const work of ["archive", "release"] as const) {
        assert.deepEqual(await claim(store, { work }), { taskIds: [] });
      }
    },
  },
  {
    title: "deleteTask() with an incarnation deletes it at any revision, and no other incarnation",
    async run(store) {
      await create(store, "t");
      await write(store, "t");
      assert.equal(await store.deleteTask("t", { incarnation: "another0" }), false);
      assert.equal((await store.getTask("t"))?.length, 1);
      assert.equal(await store.deleteTask("t", { incarnation: INCARNATION }), true);
      assert.equal(await store.getTask("t"), undefined);
    },
  },
];
