import assert from "node:assert/strict";
import fc from "fast-check";
import { eventId, MAX_40_BITS, parseEventId, random40, ulid } from "./ulid.ts";

const partsArb = fc.record({
  timestampMs: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
  index: fc.integer({ min: 0, max: MAX_40_BITS }),
  entropy: fc.integer({ min: 0, max: MAX_40_BITS }),
}, { noNullPrototype: true });

Deno.test("parseEventId() reads what eventId() wrote", () => {
  fc.assert(fc.property(partsArb, (parts) => {
    const id = eventId(parts.timestampMs, parts.index, parts.entropy);
    assert.match(id, /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
    assert.deepEqual(parseEventId(id), parts);
  }));
});

Deno.test("ids of one task sort as its log does", () => {
  fc.assert(fc.property(partsArb, partsArb, (a, b) => {
    const [idA, idB] = [a, b].map((p) => eventId(p.timestampMs, p.index, p.entropy)) as [
      string,
      string,
    ];
    const order = a.timestampMs - b.timestampMs || a.index - b.index || a.entropy - b.entropy;
    assert.equal(idA < idB ? -1 : idA > idB ? 1 : 0, Math.sign(order));
  }));
});

Deno.test("parseEventId() takes nothing else", () => {
  for (const text of ["", "0".repeat(25), "U".repeat(26), "8".repeat(26), "0".repeat(27)]) {
    assert.equal(parseEventId(text), undefined, text);
  }
});

Deno.test("random40() and ulid() do not repeat and stay in range", () => {
  const ids = new Set(Array.from({ length: 1000 }, () => ulid(1)));
  assert.equal(ids.size, 1000);
  for (let i = 0; i < 1000; i++) {
    const value = random40();
    assert(Number.isInteger(value) && value >= 0 && value <= MAX_40_BITS);
  }
});
