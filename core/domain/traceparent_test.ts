import assert from "node:assert/strict";
import { formatTraceparent, parseTraceparent } from "./traceparent.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";

Deno.test("parseTraceparent() reads what W3C says, and takes all else as absent", () => {
  const read = { traceId: TRACE, spanId: SPAN, flags: 1 };
  assert.deepEqual(parseTraceparent(`00-${TRACE}-${SPAN}-01`), read);
  assert.deepEqual(parseTraceparent(`cc-${TRACE}-${SPAN}-01-more`), read, "a later version");
  const bad = [
    "",
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-01-more`,
    `ff-${TRACE}-${SPAN}-01`,
    `00-${"0".repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${"0".repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01\n`,
  ];
  for (const text of bad) assert.equal(parseTraceparent(text), undefined, text);
});

Deno.test("formatTraceparent() writes what parseTraceparent() reads", () => {
  for (const flags of [0, 1, 255]) {
    const parent = { traceId: TRACE, spanId: SPAN, flags };
    assert.deepEqual(parseTraceparent(formatTraceparent(parent)), parent);
  }
});
