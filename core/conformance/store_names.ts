import assert from "node:assert/strict";
import type { ShortTermStore } from "../contracts/short_term_store.ts";
import { append, commit, create, delta, draft, NOW } from "./store_fixtures.ts";
import type { Check } from "./suite.ts";

/** Names with a meaning in patterns, paths, keys, query languages or objects. */
const NAMES = [
  ".",
  "..",
  "/",
  "a:b",
  "a",
  "A",
  "a ",
  " ",
  "%",
  "_",
  "*",
  "?",
  "[a]",
  "{a}",
  "{}",
  "{p1}",
  "'",
  '"',
  "\\",
  "\\u0061",
  "$1",
  "\n",
  "\x01",
  "\x7f",
  "é",
  "e\u0301",
  "ÿ",
  "\u2028",
  "\ufeff",
  "\uffff",
  "🎉",
  "__proto__",
  "constructor",
  "null",
  "0",
  "-1",
  "1,2",
  "x".repeat(256),
  "🎉".repeat(128),
];

/** Checks that names of series, producers, tags, types and fields are taken literally. */
export const NAME_CHECKS: readonly Check<ShortTermStore>[] = [
  {
    title: "series and fields may have any name, and no two are mixed up",
    async run(store) {
      await create(store, "t");
      for (const name of [...NAMES, ...NAMES]) {
        const data = JSON.stringify({ [name]: name });
        await append(store, "t", delta(name, { seriesId: name, accField: name, data }));
      }
      const view = await store.readFolds("t", { after: -1, limit: 999 });
      const said = view!.folds.map(({ seriesId, accField, text }) => [seriesId, accField, text]);
      assert.deepEqual(said.sort(), NAMES.map((name) => [name, name, name + name]).sort());
    },
  },
  {
    title: "producers may have any name, and no two are mixed up",
    async run(store) {
      await create(store, "t");
      const sent = NAMES.map((id) => draft(id, { producer: { id, epoch: 0, seq: 0 } }));
      for (const event of sent) await append(store, "t", event);
      const repeated = await commit(store, { taskId: "t", expect: "live", events: sent });
      assert(repeated.ok);
      assert.deepEqual(repeated.events.map(({ data }) => JSON.parse(data)), NAMES);
      assert.equal(repeated.length, NAMES.length);
    },
  },
  {
    title: "tags and types may have any name, and each finds its own task only",
    async run(store) {
      const tasks = NAMES.map((name, i) => ({ name, id: `t${String(i).padStart(3, "0")}` }));
      for (const { name, id } of tasks) {
        await create(store, id, { tags: [name], type: name, createdAt: NOW });
      }
      for (const { name, id } of tasks) {
        const found = await store.listTasks({ limit: 9, tag: name });
        assert.deepEqual(found.tasks.map(({ task }) => task.id), [id], JSON.stringify(name));
        if (name === "*") continue;
        const ofType = await store.listTasks({ limit: 9, types: [name] });
        assert.deepEqual(ofType.tasks.map(({ task }) => task.id), [id], JSON.stringify(name));
      }
    },
  },
  {
    title: "event types may have any name, and patterns match only their own",
    async run(store) {
      await create(store, "t");
      await append(store, "t", ...NAMES.map((type) => draft(type, { type: `${type}.x` })));
      const find = async (pattern: string) => {
        const page = await store.readLog("t", {
          after: -1,
          limit: NAMES.length,
          filter: { types: [pattern] },
        });
        return page!.events.map(({ data }) => JSON.parse(data));
      };
      for (const name of NAMES) {
        assert.deepEqual(await find(`${name}.x`), [name], JSON.stringify(name));
        const begin = NAMES.filter((other) => `${other}.x`.startsWith(`${name}.`));
        assert.deepEqual(await find(`${name}.*`), begin, JSON.stringify(name));
      }
    },
  },
];
