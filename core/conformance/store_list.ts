import assert from "node:assert/strict";
import type { ShortTermStore } from "../contracts/short_term_store.ts";
import type { ListQuery } from "../contracts/task_reader.ts";
import { create, NOW, record, replace } from "./store_fixtures.ts";
import type { Check } from "./suite.ts";

async function ids(store: ShortTermStore, query: Partial<ListQuery> = {}): Promise<string[]> {
  const { tasks } = await store.listTasks({ limit: 100, ...query });
  return tasks.map(({ task }) => task.id);
}

/** Lists of tasks. */
export const LIST_CHECKS: readonly Check<ShortTermStore>[] = [
  {
    title: "listTasks() returns the newest first, and tasks of the same age by id",
    async run(store) {
      for (const [id, createdAt] of [["b", 5], ["a", 9], ["d", 5], ["c", 5], ["e", 1]] as const) {
        await create(store, id, { createdAt });
      }
      assert.deepEqual(await ids(store), ["a", "d", "c", "b", "e"]);
    },
  },
  {
    title: "listTasks() pages lose and repeat no task while others are created and deleted",
    async run(store) {
      for (let i = 0; i < 25; i++) {
        await create(store, `t${i}`, { createdAt: NOW + Math.floor(i / 3) });
      }
      const before = await ids(store);
      const seen: string[] = [];
      let after: ListQuery["after"];
      for (let page = 0;; page++) {
        const { tasks, more } = await store.listTasks({ limit: 4, after });
        seen.push(...tasks.map(({ task }) => task.id));
        if (!more) break;
        const { id, createdAt } = tasks.at(-1)!.task;
        after = { id, createdAt };
        await create(store, `new${page}`, { createdAt: NOW + 100 + page });
        // A position in the list stays valid after its task was deleted.
        if (page === 1) await store.deleteTask(id);
      }
      assert.deepEqual(seen, before);
    },
  },
  {
    title: "listTasks() continues after a time at which there is no task",
    async run(store) {
      for (const [id, createdAt] of [["-", 5], ["b", 5], ["~", 5], ["a", 6], ["c", 4]] as const) {
        await create(store, id, { createdAt, tags: ["x"], type: "k" });
      }
      const after = { createdAt: 5, id: "" };
      for (
        const query of [{}, { tag: "x" }, { types: ["k"] }, { statuses: ["pending" as const] }]
      ) {
        assert.deepEqual(await ids(store, { ...query, after }), ["c"]);
        const before = { createdAt: 6, id: "" };
        assert.deepEqual(await ids(store, { ...query, after: before }), ["~", "b", "-", "c"]);
      }
    },
  },
  {
    title: "listTasks() filters by statuses, types and tag, also together",
    async run(store) {
      await create(store, "1", { type: "llm.chat", tags: ["a", "b"] });
      await create(store, "2", { type: "llm.embed", tags: ["b"], status: "running" });
      await create(store, "3", { type: "build" });
      await create(store, "4", { status: "running", tags: ["bb"] });
      assert.deepEqual(await ids(store, { statuses: ["running"] }), ["4", "2"]);
      assert.deepEqual(await ids(store, { statuses: ["running", "pending"] }), [
        "4",
        "3",
        "2",
        "1",
      ]);
      assert.deepEqual(await ids(store, { types: ["llm.*"] }), ["2", "1"]);
      assert.deepEqual(await ids(store, { types: ["build", "llm.chat"] }), ["3", "1"]);
      assert.deepEqual(await ids(store, { types: ["*"] }), ["4", "3", "2", "1"]);
      assert.deepEqual(await ids(store, { tag: "b" }), ["2", "1"]);
      assert.deepEqual(await ids(store, { tag: "b", types: ["llm.*"], statuses: ["running"] }), [
        "2",
      ]);
      assert.deepEqual(await ids(store, { tag: "b", limit: 1 }), ["2"]);
    },
  },
  {
    title: "listTasks() filters by priority, also with other conditions; a task without one has 0",
    async run(store) {
      await create(store, "1", { priority: 9, tags: ["a"] });
      await create(store, "2", { priority: 5 });
      await create(store, "3", { priority: 0 });
      await create(store, "4");
      await create(store, "5", { priority: 9, type: "build", status: "running" });
      assert.deepEqual(await ids(store, { priority: 9 }), ["5", "1"]);
      assert.deepEqual(await ids(store, { priority: 5 }), ["2"]);
      assert.deepEqual(await ids(store, { priority: 0 }), ["4", "3"]);
      assert.deepEqual(await ids(store, { priority: 1 }), []);
      assert.deepEqual(await ids(store, { priority: 9, tag: "a" }), ["1"]);
      assert.deepEqual(await ids(store, { priority: 9, statuses: ["running"] }), ["5"]);
      assert.deepEqual(await ids(store, { priority: 9, types: ["build"] }), ["5"]);
      assert.deepEqual(await ids(store, { priority: 9, limit: 1 }), ["5"]);
      await replace(store, "1", { priority: 9, tags: ["a"], status: "completed" });
      assert.deepEqual(await ids(store, { priority: 9 }), ["5", "1"]);
    },
  },
  {
    title: "listTasks() returns the current record of a task",
    async run(store) {
      await create(store, "t");
      await replace(store, "t", { status: "completed", result: { n: 1 } });
      const completed = record("t", { status: "completed", result: { n: 1 } }, 2);
      assert.deepEqual((await store.listTasks({ limit: 5 })).tasks, [completed]);
      assert.deepEqual(await ids(store, { statuses: ["pending"] }), []);
    },
  },
];
