import assert from "node:assert/strict";
import { Partitions } from "./partitions.ts";

Deno.test("the keys of a partition have one hash tag under any prefix", () => {
  const tagOf = (key: string) => /\{([^}]+)\}/.exec(key)![1];
  for (const prefix of ["", "taskcast:", "{tenant}:", "}", "a{", "{{"]) {
    const partitions = new Partitions({ prefix, count: 4 });
    for (const id of ["a", "a:b", "..a", "~"]) {
      const base = partitions.of(id);
      assert.equal(tagOf(partitions.channelOf(id)), tagOf(base));
      assert(partitions.bases.includes(base));
    }
  }
  for (const prefix of ["{}", "a{}b", "{}{a}"]) {
    assert.throws(() => new Partitions({ prefix, count: 4 }), { name: "TypeError" }, prefix);
  }
});
