import assert from "node:assert/strict";
import fc from "fast-check";
import { NewestOrder } from "./newest_order.ts";

interface Series {
  name: number;
  newest: { index: number };
}

Deno.test("NewestOrder has the order of a sorted list after any moves and removals", () => {
  const stepArb = fc.record({ name: fc.nat(30), does: fc.constantFrom("move", "move", "delete") });
  fc.assert(
    fc.property(fc.array(stepArb, { maxLength: 300 }), (steps) => {
      const order = new NewestOrder<Series>();
      const model = new Map<number, Series>();
      for (const [index, { name, does }] of steps.entries()) {
        const series = model.get(name) ?? { name, newest: { index } };
        if (does === "move") {
          series.newest = { index };
          model.delete(name);
          model.set(name, series);
          order.moveToEnd(series);
        } else if (model.delete(name)) order.delete(series);
      }
      for (const after of [-1, 0, Math.floor(steps.length / 2), steps.length]) {
        const expected = [...model.values()].filter(({ newest }) => newest.index > after);
        assert.deepEqual([...order.after(after)], expected);
      }
    }),
  );
});

Deno.test("NewestOrder visits few entries for each move, however many series there are", () => {
  for (const count of [1, 2, 1_000, 20_000]) {
    let looks = 0;
    const order = new NewestOrder<Series>();
    const all = Array.from({ length: count }, (_, name) => {
      let index = -1;
      return {
        name,
        set index(value: number) {
          index = value;
        },
        get newest() {
          looks++;
          return { index };
        },
      };
    });
    const moves = 100_000;
    for (let i = 0; i < moves; i++) {
      const series = all[(i * 7919) % count]!;
      series.index = i;
      order.moveToEnd(series);
    }
    assert(looks < 6 * moves, `${looks} looks for ${moves} moves of ${count} series`);
    looks = 0;
    const page = order.after(moves - Math.ceil(count / 2) - 1);
    for (let i = 0; i < 10; i++) page.next();
    assert(
      looks <= 2 * count + 100 && looks >= Math.min(10, Math.floor(count / 2)),
      `${looks} looks`,
    );
  }
});
