import assert from "node:assert/strict";
import fc from "fast-check";
import { DeliveredSeries, MAX_DELIVERED_SERIES } from "./delivered_series.ts";

Deno.test("DeliveredSeries knows those that went on last, whenever it is asked", () => {
  const series = fc.nat({ max: 2 * MAX_DELIVERED_SERIES });
  // Runs of neighbouring ids, so that few steps exceed the bound.
  const stepArb = fc.record({ from: series, count: fc.nat(700), asks: fc.boolean() });
  fc.assert(
    fc.property(fc.array(stepArb, { maxLength: 12 }), series, (steps, other) => {
      const delivered = new DeliveredSeries();
      const model: string[] = [];
      const asked = (name: string) => model.slice(-MAX_DELIVERED_SERIES).includes(name);
      for (const { from, count, asks } of steps) {
        for (let i = from; i < from + count; i++) {
          const name = `s${i}`;
          const at = model.indexOf(name);
          if (at >= 0) model.splice(at, 1);
          model.push(name);
          delivered.add(name);
        }
        if (asks) assert.equal(delivered.has(`s${other}`), asked(`s${other}`));
      }
      for (let i = 0; i < 3 * MAX_DELIVERED_SERIES; i += 7) {
        assert.equal(delivered.has(`s${i}`), asked(`s${i}`), `s${i}`);
      }
    }),
    { numRuns: 20 },
  );
});
