import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeCursor, encodeCursor } from "./cursor.ts";

const cursorArb = fc.record({
  kind: fc.constantFrom("exact", "partial", "done"),
  incarnation: fc.stringMatching(/^[a-z0-9]{8}$/),
  index: fc.integer({ min: -1, max: 10 ** 12 }),
}, { noNullPrototype: true });

Deno.test("decodeCursor() reads what encodeCursor() wrote", () => {
  fc.assert(fc.property(cursorArb, (cursor) => {
    assert.deepEqual(decodeCursor(encodeCursor(cursor)), cursor);
  }));
});

Deno.test("a cursor fits into a header and an SSE id as it is", () => {
  fc.assert(fc.property(cursorArb, (cursor) => {
    assert.match(encodeCursor(cursor), /^[a-z0-9-]+$/);
  }));
});

Deno.test("decodeCursor() takes nothing else", () => {
  const wrong = [
    "",
    "e1",
    "abcd1234",
    "abcd1234-x1",
    "abcd1234-e",
    "abcd1234-e01",
    "abcd1234-e-1",
    "abcd1234-e1 ",
    "ABCD1234-e1",
    "abcd1234-e99999999999999",
    "abcd1234-e1\n",
    "abcd1234-e1.5",
  ];
  for (const text of wrong) assert.equal(decodeCursor(text), undefined, JSON.stringify(text));
  fc.assert(fc.property(fc.string(), (text) => {
    const cursor = decodeCursor(text);
    assert(cursor === undefined || encodeCursor(cursor) === text);
  }));
});
