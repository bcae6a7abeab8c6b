import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeCursor, encodeCursor, fingerprintOf } from "./cursor.ts";
import { MAX_40_BITS } from "./ulid.ts";

const cursorArb = fc.record({
  kind: fc.constantFrom("exact", "partial", "done"),
  incarnation: fc.stringMatching(/^[a-z0-9]{8}$/),
  index: fc.integer({ min: -1, max: 10 ** 12 }),
  fingerprint: fc.maxSafeNat().map((entropy) => fingerprintOf(entropy % (MAX_40_BITS + 1))),
}, { noNullPrototype: true, requiredKeys: ["kind", "incarnation", "index"] });

Deno.test("decodeCursor() reads what encodeCursor() wrote", () => {
  fc.assert(fc.property(cursorArb, (cursor) => {
    assert.deepEqual(decodeCursor(encodeCursor(cursor)), cursor);
  }));
});

Deno.test("a cursor fits into a header and an SSE id unchanged", () => {
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
    "abcd1234-e1-",
    "abcd1234-e1-abcd",
    "abcd1234-e1-abcdef",
    "abcd1234-e1-ABCDE",
    "abcd1234-e1-abcde-",
  ];
  for (const text of wrong) assert.equal(decodeCursor(text), undefined, JSON.stringify(text));
  fc.assert(fc.property(fc.string(), (text) => {
    const cursor = decodeCursor(text);
    assert(cursor === undefined || encodeCursor(cursor) === text);
  }));
});

Deno.test("a cursor of version 0.1.0, which has no fingerprint, is read as it was", () => {
  assert.deepEqual(decodeCursor("abcd1234-p13"), {
    kind: "partial",
    incarnation: "abcd1234",
    index: 12,
  });
});

Deno.test("a fingerprint takes six characters of a cursor, and differs between events", () => {
  const cursor = { kind: "exact", incarnation: "abcd1234", index: 12 } as const;
  assert.equal(encodeCursor({ ...cursor, fingerprint: fingerprintOf(36) }), "abcd1234-e13-00010");
  const highest = encodeCursor({ ...cursor, fingerprint: fingerprintOf(MAX_40_BITS) });
  assert.equal(highest.length, encodeCursor(cursor).length + 6);
  const step = 7_368_787;
  const some = Array.from({ length: 10_000 }, (_, i) => fingerprintOf(i * step));
  assert(new Set(some).size > 9_995);
});

Deno.test("a fingerprint is the remainder of the entropy, written as five digits", () => {
  const count = 36 ** 5;
  const entropies = fc.oneof(
    fc.integer({ min: 0, max: MAX_40_BITS }),
    // Near multiples, where a rounded quotient would differ.
    fc.tuple(
      fc.integer({ min: 1, max: Math.floor(MAX_40_BITS / count) }),
      fc.constantFrom(-1, 0, 1),
    )
      .map(([factor, offset]) => factor * count + offset),
  );
  fc.assert(fc.property(entropies, (entropy) => {
    const fingerprint = fingerprintOf(entropy);
    assert.equal(fingerprint, entropy % count);
    const text = encodeCursor({ kind: "exact", incarnation: "abcd1234", index: 0, fingerprint });
    assert.equal(text, `abcd1234-e1-${fingerprint.toString(36).padStart(5, "0")}`);
  }));
});
