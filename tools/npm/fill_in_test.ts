import assert from "node:assert/strict";
import { FILL_INS_CODE, fillIn } from "./fill_in.ts";

Deno.test("npm: what Node 20 lacks is imported where it is used, and nowhere else", () => {
  assert.equal(fillIn("Promise.all([]);", "a.js"), "Promise.all([]);");
  assert.equal(
    fillIn("const { promise } = Promise.withResolvers();", "a.js"),
    'import { withResolvers } from "./_node20.js";\nconst { promise } = withResolvers();',
  );
  assert.equal(
    fillIn("Map.groupBy(a, b); await Array.fromAsync(c);", "deep/er/a.js"),
    'import { groupBy, fromAsync } from "../../_node20.js";\ngroupBy(a, b); await fromAsync(c);',
  );
});

Deno.test("npm: fill-ins do what they stand for", async () => {
  const { withResolvers, groupBy, fromAsync } = await import(
    `data:text/javascript,${encodeURIComponent(FILL_INS_CODE)}`
  );
  const good = withResolvers();
  good.resolve(1);
  assert.equal(await good.promise, 1);
  const bad = withResolvers();
  bad.reject(new Error("no"));
  await assert.rejects(bad.promise, /^Error: no$/);
  const keyOf = (item: number, index: number) => (item + index) % 3;
  assert.deepEqual(groupBy([5, 6, 7, 8], keyOf), Map.groupBy([5, 6, 7, 8], keyOf));
  assert.deepEqual(
    await fromAsync((async function* () {
      yield* [1, Promise.resolve(2)];
    })()),
    [1, 2],
  );
});
