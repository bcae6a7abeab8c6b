import assert from "node:assert/strict";
import fc from "fast-check";
import { canonicalJson, inputHash, keyedId } from "./idempotency.ts";

Deno.test("keyedId() depends on caller and key, which cannot be mistaken for each other", async () => {
  const id = await keyedId("sub", "key");
  assert.match(id, /^k~[A-Za-z0-9_-]{32}$/);
  assert.equal(await keyedId("sub", "key"), id);
  const others = [["su", "bkey"], ["sub", "Key"], ["", "subkey"], ["sub,", "key"]] as const;
  for (const [caller, key] of others) assert.notEqual(await keyedId(caller, key), id);
});

Deno.test("inputHash() ignores the order of fields, and nothing else", async () => {
  const input = { type: "a", params: { x: [1, { b: 1, c: 2 }], y: null } };
  const same = { params: { y: null, x: [1, { c: 2, b: 1 }] }, type: "a" };
  assert.equal(await inputHash(input), await inputHash(same));
  for (const other of [{ ...input, ttl: 1 }, { ...input, type: "b" }, { ...input, params: {} }]) {
    assert.notEqual(await inputHash(input), await inputHash(other));
  }
});

Deno.test("property: canonicalJson() is JSON of an equal value", () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    assert.deepEqual(JSON.parse(canonicalJson(value)), JSON.parse(JSON.stringify(value)));
  }));
});
