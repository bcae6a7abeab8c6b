import assert from "node:assert/strict";
import { didYouMean, hintFor } from "./did_you_mean.ts";

Deno.test("didYouMean() finds slips of the finger and other ways to write a name", () => {
  const cases: [name: string, known: string[], meant: string | undefined][] = [
    ["type", ["types", "levels"], "types"],
    ["types[]", ["types", "levels"], "types"],
    ["since[index]", ["since.id", "since.index"], "since.index"],
    ["inlcudeStatus", ["includeStatus"], "includeStatus"],
    ["canceled", ["completed", "cancelled"], "cancelled"],
    ["log_level", ["logLevel"], "logLevel"],
    ["TASKCAST_STORGE", ["TASKCAST_STORAGE", "TASKCAST_PORT"], "TASKCAST_STORAGE"],
    ["since", ["limit", "since.id", "since.index"], "since.id"],
    ["warning", ["debug", "warn"], "warn"],
    ["wa", ["warn"], undefined],
    // Nothing remains of these names that could be similar.
    ["", ["a", "id"], undefined],
    ["_", ["a", "id"], undefined],
    ["b", ["a"], undefined],
    ["toString", ["types"], undefined],
    ["日本", ["types", "a"], undefined],
  ];
  for (const [name, known, meant] of cases) assert.equal(didYouMean(name, known), meant, name);
});

Deno.test("didYouMean() takes no time for a name that is far too long", () => {
  const known = Array.from({ length: 1_000 }, (_, i) => `name${i}`);
  const startMs = performance.now();
  for (let i = 0; i < 100; i++) {
    assert.equal(didYouMean("n".repeat(1_000_000), known), undefined);
  }
  assert(performance.now() - startMs < 1_000);
});

Deno.test("hintFor() names the closest word, or all words", () => {
  assert.equal(hintFor("typs", ["types", "levels"]), 'did you mean "types"?');
  assert.equal(hintFor("zzz", ["types", "levels"]), "known are types, levels");
});
