import assert from "node:assert/strict";
import type { HookState } from "./hook_state.ts";
import {
  delivered,
  exhausted,
  parseState,
  postponed,
  rangeOf,
  retried,
  skipped,
  stateText,
} from "./hook_state.ts";

const NEW = parseState(undefined);

Deno.test("a webhook continues after what was delivered, and counts it", () => {
  const state = delivered(delivered(NEW, 0), 4);
  assert.deepEqual(state, { next: 5, count: 2 });
  assert.deepEqual(rangeOf(state), { from: 5 });
  assert.deepEqual(skipped(state, 9), { next: 9, count: 2 });
  assert.deepEqual(parseState(stateText(state)), state);
});

Deno.test("an attempt that failed is counted until the event is settled", () => {
  const failed = postponed(postponed(NEW, "500", 10), "503", 20);
  assert.deepEqual(failed, { next: 0, count: 0, attempts: 2, atMs: 20, error: "503" });
  assert.deepEqual(delivered(failed, 0), { next: 1, count: 1 });
});

Deno.test("consecutive deliveries that were abandoned for one reason form one range", () => {
  let state: HookState = NEW;
  for (const index of [0, 2, 3]) state = exhausted(state, index, "500", index);
  state = delivered(state, 4);
  state = exhausted(state, 5, "500", 5);
  state = exhausted(state, 6, "timeout", 6);
  assert.deepEqual(state.failed, [
    { from: 0, through: 3, count: 3, error: "500", at: 3 },
    { from: 5, through: 5, count: 1, error: "500", at: 5 },
    { from: 6, through: 6, count: 1, error: "timeout", at: 6 },
  ]);
  assert.equal(state.next, 7);
});

Deno.test("retried deliveries come before new ones, and move no position", () => {
  let state = retried(exhausted(delivered(exhausted(NEW, 1, "x", 0), 2), 3, "x", 0));
  assert.deepEqual(state.failed, undefined);
  assert.deepEqual(rangeOf(state), { from: 1, through: 1 });
  state = delivered(state, 1);
  assert.deepEqual(rangeOf(state), { from: 3, through: 3 });
  state = exhausted(state, 3, "y", 9);
  assert.deepEqual(rangeOf(state), { from: 4 });
  assert.deepEqual([state.next, state.count], [4, 3]);
  assert.deepEqual(state.failed, [{ from: 3, through: 3, count: 1, error: "y", at: 9 }]);
});

Deno.test("the list of failures is bounded", () => {
  let state: HookState = NEW;
  for (let i = 0; i < 300; i++) state = exhausted(state, i, `${i}`, i);
  assert.equal(state.failed?.length, 100);
  assert.equal(state.failed?.reduce((sum, { count }) => sum + count, 0), 300);
  assert.equal(state.failed?.at(-1)?.through, 299);
});
