import assert from "node:assert/strict";
import type { ShortTermStore } from "../contracts/short_term_store.ts";
import type { ScheduledTask } from "../contracts/work_queue.ts";
import { WORK_KINDS } from "../contracts/work_queue.ts";
import { commit, create, draft, INCARNATION, NOW, record } from "./store_fixtures.ts";
import type { Check } from "./suite.ts";

const HERE = { incarnation: INCARNATION };

/** Creates a task that has webhooks. */
async function createHooked(store: ShortTermStore, taskId: string, atMs: number): Promise<void> {
  const result = await commit(store, {
    taskId,
    expect: "absent",
    record: { ...record(taskId), hooked: true },
    due: {},
    schedule: { deliver: atMs },
  });
  assert(result.ok && result.hooked);
}

/** Checks of scheduled work and of notes. */
export const WORK_CHECKS: readonly Check<ShortTermStore>[] = [
  {
    title: "a commit schedules delivery only of tasks with webhooks, and reports which have them",
    async run(store) {
      await create(store, "plain");
      await createHooked(store, "hooked", NOW);
      const publish = async (taskId: string) =>
        await commit(store, {
          taskId,
          expect: "live",
          events: [draft()],
          schedule: { archive: NOW + 5, deliver: NOW + 9 },
        });
      const [plain, hooked] = [await publish("plain"), await publish("hooked")];
      assert(plain.ok && plain.hooked === undefined);
      assert(hooked.ok && hooked.hooked);
      const claim = { nowMs: NOW + 100, untilMs: NOW + 200, limit: 9 };
      assert.deepEqual(await store.claim("deliver", claim), {
        taskIds: ["hooked"],
        oldestAtMs: NOW,
      });
      assert.equal((await store.claim("archive", claim)).taskIds.length, 2);
      const again = await commit(store, {
        taskId: "hooked",
        expect: { version: 1, incarnation: INCARNATION },
        record: { ...record("hooked", { status: "completed" }, 2), hooked: true },
        due: {},
        schedule: { deliver: NOW },
      });
      assert(again.ok && again.hooked);
      assert.deepEqual((await store.claim("deliver", claim)).taskIds, [], "the time stays");
    },
  },
  {
    title: "schedule() sets, moves and removes a time if the task is at the expected revision",
    async run(store) {
      await create(store, "t");
      assert.equal(await store.schedule("absent", "deliver", NOW, HERE), false);
      assert.equal(await store.schedule("absent", "deliver", NOW), false);
      assert.equal(await store.schedule("t", "deliver", NOW, { incarnation: "another0" }), false);
      assert.equal(await store.schedule("t", "deliver", NOW, { ...HERE, length: 1 }), false);
      assert.equal(await store.schedule("t", "deliver", NOW + 5, { ...HERE, length: 0 }), true);
      assert.deepEqual(await store.scheduled("deliver", { limit: 9 }), [
        { taskId: "t", atMs: NOW + 5 },
      ]);
      assert.equal(await store.schedule("t", "deliver", NOW + 7, HERE), true);
      assert.deepEqual(await store.scheduled("deliver", { limit: 9 }), [
        { taskId: "t", atMs: NOW + 7 },
      ]);
      assert.equal(await store.schedule("t", "deliver", NOW + 8), true, "at any revision");
      assert.deepEqual(await store.scheduled("deliver", { limit: 9 }), [
        { taskId: "t", atMs: NOW + 8 },
      ]);
      assert.equal(await store.schedule("t", "deliver", undefined, HERE), true);
      assert.deepEqual(await store.scheduled("deliver", { limit: 9 }), []);
    },
  },
  {
    title: "scheduled() lists all scheduled tasks, page by page",
    async run(store) {
      const all: ScheduledTask[] = [];
      for (let i = 0; i < 25; i++) {
        const task = { taskId: `t${i}`, atMs: NOW + i % 4 };
        all.push(task);
        await create(store, task.taskId);
        assert(await store.schedule(task.taskId, "undelivered", task.atMs, HERE));
      }
      all.sort((a, b) => a.atMs - b.atMs || (a.taskId < b.taskId ? -1 : 1));
      const seen: ScheduledTask[] = [];
      for (;;) {
        const page = await store.scheduled("undelivered", { limit: 7, after: seen.at(-1) });
        if (page.length === 0) break;
        assert(page.length <= 7);
        seen.push(...page);
      }
      assert.deepEqual(seen, all);
      const from = await store.scheduled("undelivered", {
        limit: 99,
        after: { atMs: NOW + 2, taskId: "" },
      });
      assert.deepEqual(from, all.filter(({ atMs }) => atMs >= NOW + 2), "all of that moment");
      await store.deleteTask("t0");
      assert.equal((await store.scheduled("undelivered", { limit: 99 })).length, 24);
    },
  },
  {
    title: "removing a task removes it from every schedule",
    async run(store) {
      await create(store, "t");
      for (const kind of WORK_KINDS) assert(await store.schedule("t", kind, NOW, HERE));
      await store.deleteTask("t");
      await create(store, "t");
      for (const kind of WORK_KINDS) {
        assert.deepEqual(await store.scheduled(kind, { limit: 9 }), [], kind);
        const claim = { nowMs: NOW + 9, untilMs: NOW + 10, limit: 9 };
        assert.deepEqual(await store.claim(kind, claim), { taskIds: [] }, kind);
      }
    },
  },
  {
    title:
      "writeNote() changes a note only from the expected text, and only in the named incarnation",
    async run(store) {
      const write = (from?: string, to?: string, incarnation = INCARNATION) =>
        store.writeNote("t", incarnation, "a b", { from, to });
      assert.equal(await write(undefined, "1"), false);
      assert.equal(await store.readNotes("t", INCARNATION), undefined);
      await create(store, "t");
      assert.deepEqual(await store.readNotes("t", INCARNATION), {});
      assert.equal(await write("0", "1"), false);
      assert.equal(await write(undefined, "1", "another0"), false);
      assert.equal(await write(undefined, "1 é 😀"), true);
      assert.equal(await write(undefined, "2"), false);
      assert.deepEqual(await store.readNotes("t", INCARNATION), { "a b": "1 é 😀" });
      const outcomes = await Promise.all(
        Array.from({ length: 8 }, (_, i) => write("1 é 😀", `${i + 2}`)),
      );
      assert.equal(outcomes.filter((done) => done).length, 1);
      const now = (await store.readNotes("t", INCARNATION))!["a b"];
      assert(await store.writeNote("t", INCARNATION, "other", { from: undefined, to: "x" }));
      assert.equal(await write(now, undefined), true);
      assert.deepEqual(await store.readNotes("t", INCARNATION), { other: "x" });
      assert.equal(await store.readNotes("t", "another0"), undefined);
      assert.equal((await store.getTask("t"))?.record.version, 1, "no commit");
      await store.deleteTask("t");
      await create(store, "t");
      assert.deepEqual(await store.readNotes("t", INCARNATION), {}, "they go with the task");
    },
  },
];
