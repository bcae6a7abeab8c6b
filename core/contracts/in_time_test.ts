import assert from "node:assert/strict";
import { inTime } from "./in_time.ts";

function fakeTimers() {
  const armed = new Map<number, { callback: () => void; delayMs: number }>();
  let last = 0;
  return {
    armed,
    setTimeout(callback: () => void, delayMs: number): unknown {
      armed.set(++last, { callback, delayMs });
      return last;
    },
    clearTimeout: (timer: unknown) => void armed.delete(timer as number),
  };
}

const never = () => assert.fail("it is not late");

Deno.test("inTime() passes on a timely answer, and leaves no timer", async () => {
  const timers = fakeTimers();
  assert.equal(await inTime(Promise.resolve(7), 50, never, timers), 7);
  const failed = new Error("refused");
  await assert.rejects(inTime(Promise.reject(failed), 50, never, timers), failed);
  assert.equal(timers.armed.size, 0);
});

Deno.test("inTime() rejects when the time is over", async () => {
  const timers = fakeTimers();
  const late = new Error("late");
  const waiting = inTime(new Promise(() => {}), 50, () => late, timers);
  const [{ callback, delayMs }] = [...timers.armed.values()] as [
    { callback: () => void; delayMs: number },
  ];
  assert.equal(delayMs, 50);
  callback();
  await assert.rejects(waiting, late);
  assert.equal(timers.armed.size, 0);
});
