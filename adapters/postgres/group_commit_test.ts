import assert from "node:assert/strict";
import { TaskcastError } from "@taskcast/core/protocol";
import { GroupCommit } from "./group_commit.ts";

/** A group of numbers, each the size of its value, that records what was committed together. */
function numbers(
  { timeoutMs = 10_000, maxPending = 10_000, fails, gate }: {
    timeoutMs?: number;
    maxPending?: number;
    fails?: (item: number) => unknown;
    /** Every group waits for it. */
    gate?: Promise<void>;
  } = {},
) {
  const groups: number[][] = [];
  /** Whether any item of each group was still wanted when the gate opened. */
  const wanted: boolean[] = [];
  const group = new GroupCommit<number, number>({
    async commit(items, isWanted) {
      groups.push([...items]);
      await gate;
      wanted.push(isWanted());
      const error = items.map((item) => fails?.(item)).find((found) => found !== undefined);
      if (error !== undefined) throw error;
      return [...items];
    },
    sizeOf: (item) => item,
    timeoutMs,
    maxPending,
  });
  const add = (items: number[]) =>
    Promise.all(items.map((item) =>
      group.add(item).catch((error) => {
        assert(error instanceof TaskcastError, String(error));
        return error.code;
      })
    ));
  return { groups, wanted, add };
}

const MEGABYTE = 1024 * 1024;

Deno.test("group: what comes in one turn goes together, up to a number and to a size", async () => {
  const { groups, add } = numbers();
  await add(Array.from({ length: 450 }, () => 1));
  assert.deepEqual(groups.splice(0).map((items) => items.length), [200, 200, 50]);
  await add([20, 3, 3, 3, 1].map((size) => size * MEGABYTE));
  assert.deepEqual(groups.map((items) => items.map((size) => size / MEGABYTE)), [
    [20],
    [3, 3],
    [3, 1],
  ]);
});

Deno.test("group: an item that can never succeed fails alone, and the others keep their order", async () => {
  const hopeless = new TaskcastError("INTERNAL", "never");
  const { groups, add } = numbers({ fails: (item) => item % 10 === 7 ? hopeless : undefined });
  const items = Array.from({ length: 20 }, (_, i) => i);
  const expected = items.map((item) => item % 10 === 7 ? "INTERNAL" : item);
  assert.deepEqual(await add(items), expected);
  const carriedOut = groups.filter((group) => !group.some((item) => item % 10 === 7)).flat();
  assert.deepEqual(carriedOut, items.filter((item) => item % 10 !== 7), "each once, in order");
});

Deno.test("group: what may have been carried out is not repeated", async () => {
  const unknown = new TaskcastError("STORE_UNAVAILABLE", "cut off");
  const { groups, add } = numbers({ fails: (item) => item === 1 ? unknown : undefined });
  assert.deepEqual(await add([0, 1, 2]), Array(3).fill("STORE_UNAVAILABLE"));
  assert.equal(groups.length, 1);
});

Deno.test("group: each item waits so long, also for its group, and is not carried out after it", async () => {
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  const { groups, wanted, add } = numbers({ timeoutMs: 50, gate });
  const results = await add(Array.from({ length: 201 }, () => 1));
  assert.deepEqual([...new Set(results)], ["STORE_UNAVAILABLE"]);
  assert.deepEqual(await add([2]), ["STORE_UNAVAILABLE"]);
  const last = add([3]);
  open();
  assert.deepEqual(await last, [3]);
  assert.deepEqual(groups.map((items) => items.length), [200, 1], "nobody wanted the others");
  assert.deepEqual(wanted, [false, true]);
});

Deno.test("group: no more than maxPending wait, and the next are refused at once", async () => {
  const { groups, add } = numbers({ maxPending: 5 });
  const results = await add([0, 1, 2, 3, 4, 5, 6]);
  assert.deepEqual(results, [0, 1, 2, 3, 4, "STORE_UNAVAILABLE", "STORE_UNAVAILABLE"]);
  assert.deepEqual(groups, [[0, 1, 2, 3, 4]]);
  assert.deepEqual(await add([7]), [7], "later there is room again");
});
