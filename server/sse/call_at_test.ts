import assert from "node:assert/strict";
import { fakeClock } from "../../testing/fake_clock.ts";
import { callAt } from "./call_at.ts";

const DAY_MS = 86_400_000;

/** A clock that records the delays of its timers. */
function noting() {
  const clock = fakeClock();
  const delaysMs: number[] = [];
  return {
    ...clock,
    get timers() {
      return clock.timers;
    },
    delaysMs,
    setTimeout(callback: () => void, delayMs: number) {
      delaysMs.push(delayMs);
      return clock.setTimeout(callback, delayMs);
    },
  };
}

Deno.test("callAt() never calls early, even if the delay exceeds the maximum of a timer", async () => {
  for (const leftMs of [-5, 0, 1, 1_024, 1_025, 3_600_000, 40 * DAY_MS]) {
    const clock = noting();
    const calledMs: number[] = [];
    const startMs = clock.now();
    callAt(startMs + leftMs, () => calledMs.push(clock.now() - startMs), clock);
    assert.equal(calledMs.length, 0, "never at once: who asked may not be ready");
    await clock.pass(Math.max(0, leftMs - 1));
    if (leftMs > 0) assert.equal(calledMs.length, 0);
    await clock.pass(1);
    assert.deepEqual(calledMs, [Math.max(0, leftMs)]);
    await clock.pass(DAY_MS);
    assert.equal(calledMs.length, 1);
    assert(clock.delaysMs.length <= 32 && Math.max(...clock.delaysMs) < 2 ** 31);
  }
});

Deno.test("callAt() clears its timer when cancelled, and uses few distinct delays for long waits", async () => {
  const clock = noting();
  for (let i = 0; i < 500; i++) {
    const forget = callAt(clock.now() + DAY_MS - 7 * i, () => assert.fail("forgotten"), clock);
    assert.equal(clock.timers, 1);
    await clock.pass(i);
    forget();
    assert.equal(clock.timers, 0);
  }
  assert.deepEqual(new Set(clock.delaysMs), new Set([2 ** 26]));
  await clock.pass(DAY_MS);
});
