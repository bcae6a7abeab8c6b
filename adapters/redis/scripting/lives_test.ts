import assert from "node:assert/strict";
import { Lives } from "./lives.ts";

const BASE = "x{p0}";

/** Lives of which one is lost. */
function lose(): Lives {
  const lives = new Lives(2);
  lives.learn(BASE, "aaaaaaaa");
  lives.lose(BASE);
  return lives;
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
    const lives = lose();
    await lives.look(BASE, (_, known) => {
      assert.equal(known, "aaaaaaaa");
      return Promise.resolve(found);
    });
    assert.deepEqual([!lives.isLost(BASE), lives.wordOf(BASE)], [isOver, word]);
  }
});

Deno.test("all who ask for a lost partition at once share one look", async () => {
  const lives = lose();
  let looks = 0;
  const find = () => {
    looks++;
    return Promise.resolve({ accepted: false, word: "" });
  };
  await Promise.all([lives.look(BASE, find), lives.look(BASE, find)]);
  await lives.look(BASE, find);
  assert.equal(looks, 1);
});
