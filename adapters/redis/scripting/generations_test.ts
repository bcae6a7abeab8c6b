import assert from "node:assert/strict";
import { Generations } from "./generations.ts";

const BASE = "x{p0}";

/** Returns generations of two partitions, one of them lost. */
function lose(): Generations {
  const generations = new Generations(2);
  generations.learn(BASE, "aaaaaaaa");
  generations.markLost(BASE);
  return generations;
}

Deno.test("a lost partition is used again when its data is back, or the loss of it is accepted", async () => {
  for (
    const { found, isOver, word } of [
      { found: { accepted: false, word: "" }, isOver: false, word: "aaaaaaaa" },
      { found: { accepted: false, word: "bbbbbbbb" }, isOver: false, word: "aaaaaaaa" },
      { found: { accepted: true, word: "bbbbbbbb" }, isOver: true, word: "bbbbbbbb" },
      { found: { accepted: false, word: "aaaaaaaa" }, isOver: true, word: "aaaaaaaa" },
    ]
  ) {
    const generations = lose();
    await generations.recheck(BASE, (_, known) => {
      assert.equal(known, "aaaaaaaa");
      return Promise.resolve(found);
    });
    assert.deepEqual([!generations.isLost(BASE), generations.of(BASE)], [isOver, word]);
  }
});

Deno.test("concurrent calls for a lost partition share one check", async () => {
  const generations = lose();
  let looks = 0;
  const find = () => {
    looks++;
    return Promise.resolve({ accepted: false, word: "" });
  };
  await Promise.all([generations.recheck(BASE, find), generations.recheck(BASE, find)]);
  await generations.recheck(BASE, find);
  assert.equal(looks, 1);
});
