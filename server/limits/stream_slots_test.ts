import assert from "node:assert/strict";
import { StreamSlots } from "./stream_slots.ts";

Deno.test("StreamSlots counts streams per caller and in total, and releases each slot once", () => {
  const slots = new StreamSlots({ maxStreams: 3, maxStreamsPerCredential: 2 });
  const refused = { code: "RATE_LIMITED" };
  const first = slots.take("a");
  const second = slots.take("a");
  assert.throws(() => slots.take("a"), refused);
  const third = slots.take(undefined);
  assert.throws(() => slots.take("b"), refused);
  assert.throws(() => slots.take(undefined), refused);
  first();
  first();
  assert.equal(slots.open, 2, "what was refused took no place, what was given back twice is once");
  slots.take("b")();
  slots.take("a")();
  second();
  third();
  assert.equal(slots.open, 0);
});

Deno.test("StreamSlots rejects invalid limits", () => {
  for (const limit of [0, -1, 1.5, NaN, "5" as unknown as number]) {
    assert.throws(() => new StreamSlots({ maxStreams: limit }), /^TypeError: maxStreams must/);
    assert.throws(() => new StreamSlots({ maxStreamsPerCredential: limit }), TypeError);
  }
  new StreamSlots({ maxStreams: Infinity });
});
