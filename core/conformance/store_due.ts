import assert from "node:assert/strict";
import type { ShortTermStore } from "../contracts/short_term_store.ts";
import { create, NOW, record, replace } from "./store_fixtures.ts";
import type { Check } from "./suite.ts";

/** Checks of due work. */
export const DUE_CHECKS: readonly Check<ShortTermStore>[] = [
  {
    title: "due() returns due work, earliest first, and the time of the next",
    async run(store) {
      await create(store, "late", {}, { deadline: NOW + 50 });
      await create(store, "both", {}, { deadline: NOW + 20, wake: NOW - 20 });
      await create(store, "soon", {}, { deadline: NOW });
      await create(store, "never");
      assert.deepEqual(await store.due(NOW, 10), {
        entries: [
          { kind: "wake", taskId: "both", atMs: NOW - 20 },
          { kind: "deadline", taskId: "soon", atMs: NOW },
        ],
        nextAtMs: NOW + 20,
      });
      const one = await store.due(NOW, 1);
      assert.deepEqual(one.entries.map(({ taskId }) => taskId), ["both"]);
      assert.equal(one.nextAtMs, NOW);
      // The work stays due until a commit changes it.
      assert.equal((await store.due(NOW, 10)).entries.length, 2);
    },
  },
  {
    title: "due() no longer returns times that a commit replaced",
    async run(store) {
      await create(store, "moved", {}, { deadline: NOW, wake: NOW });
      await create(store, "ended", {}, { deadline: NOW });
      await replace(store, "moved", { status: "running" }, { due: { deadline: NOW + 9 } });
      await replace(store, "ended", { status: "completed" });
      assert.deepEqual(await store.due(NOW, 10), { entries: [], nextAtMs: NOW + 9 });
      assert.deepEqual(await store.due(NOW + 9, 10), {
        entries: [{ kind: "deadline", taskId: "moved", atMs: NOW + 9 }],
      });
    },
  },
  {
    title: "a task whose due times change many times is due once",
    async run(store) {
      await create(store, "t", {}, { deadline: NOW });
      for (let version = 1; version <= 200; version++) {
        const result = await store.commit({
          taskId: "t",
          expect: { version, incarnation: "0123abcd" },
          record: record("t", { status: "running" }, version + 1),
          due: { deadline: NOW + (version % 5) },
          events: [],
          nowMs: NOW,
          maxEvents: 1,
          maxBytes: 1,
        });
        assert(result.ok);
      }
      assert.deepEqual(await store.due(NOW + 10, 10), {
        entries: [{ kind: "deadline", taskId: "t", atMs: NOW }],
      });
    },
  },
];
