import assert from "node:assert/strict";
import fc from "fast-check";
import type { TaskReader } from "../../contracts/task_reader.ts";
import { create, NOW } from "../../conformance/store_fixtures.ts";
import { MemoryShortTermStore } from "../../memory/short_term_store.ts";
import { listTasks } from "./list_tasks.ts";
import { runs } from "../../../testing/properties/runs.ts";

/** Pages through a list. Returns the ids and the next cursor of each page. */
async function pages(
  store: TaskReader,
  limit: number,
  visible: (id: string) => boolean,
): Promise<{ ids: string[]; cursor?: string }[]> {
  const all: { ids: string[]; cursor?: string }[] = [];
  let cursor: string | undefined;
  do {
    const page = await listTasks(store, { limit, cursor, visible: ({ id }) => visible(id) });
    assert(page.tasks.length <= limit);
    cursor = page.nextCursor;
    all.push({ ids: page.tasks.map(({ id }) => id), cursor });
  } while (cursor !== undefined);
  return all;
}

Deno.test("cursors of lists name tasks that were shown, or a moment, and pages miss and double none", async () => {
  await fc.assert(
    fc.asyncProperty(
      // Number of tasks in one millisecond, and number of hidden ones in the next.
      fc.array(fc.tuple(fc.nat({ max: 6 }), fc.nat({ max: 30 })), { maxLength: 12 }),
      fc.integer({ min: 1, max: 4 }),
      fc.infiniteStream(fc.boolean()),
      async (sizes, limit, coins) => {
        const store = new MemoryShortTermStore();
        const expected: string[] = [];
        const shown = new Set<string>();
        let number = 0;
        const add = async (createdAt: number, isShown: boolean) => {
          const id = `t${String(number++ % 1000).padStart(3, "0")}`;
          await create(store, id, { createdAt });
          if (isShown) shown.add(id);
        };
        let at = NOW;
        for (const [mixed, hidden] of sizes) {
          for (let i = 0; i < mixed; i++) await add(at, coins.next().value);
          at++;
          for (let i = 0; i < hidden; i++) await add(at, false);
        }
        const { tasks } = await store.listTasks({ limit: 1000 });
        for (const { task: { id } } of tasks) if (shown.has(id)) expected.push(id);

        const read = await pages(store, limit, (id) => shown.has(id));
        assert.deepEqual(read.flatMap(({ ids }) => ids), expected);
        for (const { ids, cursor } of read) {
          if (cursor === undefined) continue;
          const [, named] = cursor.split(".");
          assert(named === "" || named === ids.at(-1), `${cursor} after ${ids}`);
        }
      },
    ),
    { numRuns: runs(150) },
  );
});

Deno.test("a list looks on to the end of the millisecond at which it stops, and no further", async () => {
  const store = new MemoryShortTermStore();
  await create(store, "first", { createdAt: NOW + 9 });
  for (let i = 0; i < 40; i++) await create(store, `h${i}`, { createdAt: NOW + 5 });
  await create(store, "b", { createdAt: NOW + 5 });
  await create(store, "z", { createdAt: NOW + 4 });
  const asked: number[] = [];
  const counted: Pick<TaskReader, "listTasks"> = {
    listTasks(query) {
      asked.push(query.limit);
      return store.listTasks(query);
    },
  };
  const visible = ({ id }: { id: string }) => !id.startsWith("h");
  const page = await listTasks(counted as TaskReader, { limit: 2, visible });
  assert.deepEqual(page.tasks.map(({ id }) => id), ["first", "b"], "what is left of it is shown");
  assert.equal(page.nextCursor, `${NOW + 5}.b`);
  assert(asked.length <= 21, `${asked}`);

  const hidden = await listTasks(counted as TaskReader, { limit: 1, visible: () => false });
  assert.deepEqual(hidden, { tasks: [], nextCursor: `${NOW + 5}.` });
  const next = await listTasks(store, { limit: 1, visible, cursor: hidden.nextCursor });
  assert.deepEqual(next.tasks.map(({ id }) => id), ["z"]);
});

Deno.test("cursors of version 0.1.0 are accepted, and other texts are refused before any store is asked", async () => {
  const store = new MemoryShortTermStore();
  for (const id of ["a", "b", "c"]) await create(store, id);
  const ids = async (cursor: string) =>
    (await listTasks(store, { cursor })).tasks.map(({ id }) => id);
  assert.deepEqual(await ids(`${NOW}.b`), ["a"]);
  assert.deepEqual(await ids(`${NOW}.hidden-or-deleted`), ["c", "b", "a"]);
  const nobody = {} as TaskReader;
  const bad = [
    "x",
    ".",
    "1",
    "1.a b",
    "1.\ud800",
    "1.é",
    "-1.a",
    "1e3.a",
    " 1.a",
    "1.a\n",
    "NaN.a",
  ];
  for (
    const cursor of [
      ...bad,
      "99999999999999999.a",
      "9007199254740993.a",
      "1..",
      `1.${"a".repeat(129)}`,
    ]
  ) {
    await assert.rejects(() => listTasks(nobody, { cursor }), {
      code: /^INVALID_(CURSOR|INPUT)$/,
    }, cursor);
  }
  await assert.rejects(() => listTasks(nobody, { cursor: "1.\0" }), { code: "INVALID_INPUT" });
});
