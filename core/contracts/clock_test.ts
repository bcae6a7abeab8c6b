import assert from "node:assert/strict";
import { install } from "@sinonjs/fake-timers";
import { systemClock } from "./clock.ts";

Deno.test("systemClock: delays longer than a timer's maximum wait, and Infinity never fires", () => {
  const time = install({ now: 0 });
  try {
    const firedMs: number[] = [];
    const fire = () => firedMs.push(Date.now());
    const longMs = 3 * 2 ** 31;
    systemClock.setTimeout(fire, longMs);
    systemClock.setTimeout(fire, Infinity);
    const forgotten = systemClock.setTimeout(fire, longMs);
    time.tick(longMs - 1);
    assert.deepEqual(firedMs, []);
    systemClock.clearTimeout(forgotten);
    time.tick(2 * longMs);
    assert.deepEqual(firedMs, [longMs]);
  } finally {
    time.uninstall();
  }
});
