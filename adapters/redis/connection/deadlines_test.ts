// @ts-types="@types/sinonjs__fake-timers"
import { install } from "@sinonjs/fake-timers";
import assert from "node:assert/strict";
import { Deadlines } from "./deadlines.ts";

Deno.test("Deadlines: each is late after its own time, with one timer for all", () => {
  const clock = install();
  try {
    const deadlines = new Deadlines(100);
    const late: string[] = [];
    deadlines.expect(() => late.push("a"));
    clock.tick(40);
    deadlines.expect(() => late.push("b"));
    const heard = deadlines.expect(() => late.push("c"));
    assert.equal(clock.countTimers(), 1);
    heard();
    clock.tick(59);
    assert.deepEqual(late, []);
    clock.tick(1);
    assert.deepEqual(late, ["a"]);
    clock.tick(39);
    assert.deepEqual(late, ["a"]);
    clock.tick(1);
    assert.deepEqual(late, ["a", "b"]);
    assert.equal(clock.countTimers(), 0);
  } finally {
    clock.uninstall();
  }
});

Deno.test("Deadlines: no timer is left when every answer came, and more may be expected", () => {
  const clock = install();
  try {
    const deadlines = new Deadlines(100);
    const late: string[] = [];
    const all = ["a", "b"].map((name) => deadlines.expect(() => late.push(name)));
    for (const heard of all) heard();
    all[0]!(); // The second call has no effect.
    assert.equal(clock.countTimers(), 0);
    deadlines.expect(() => late.push("c"));
    clock.tick(100);
    assert.deepEqual(late, ["c"]);
  } finally {
    clock.uninstall();
  }
});
