// @ts-types="@types/sinonjs__fake-timers"
import { install } from "@sinonjs/fake-timers";
import assert from "node:assert/strict";
import { Deadlines } from "./deadlines.ts";

/** Lets callbacks of settled promises run. */
async function turn(): Promise<void> {
  for (let i = 0; i < 5; i++) await Promise.resolve();
}

/** Records how waits end, for work that the test settles. */
function watcher(deadlines: Deadlines, told: string[]) {
  return (name: string) => {
    const work = Promise.withResolvers<string>();
    deadlines.watch(work.promise, () => new Error(`${name} is late`)).then(
      (value) => told.push(value),
      ({ message }) => told.push(message),
    );
    return work;
  };
}

Deno.test("Deadlines: each wait ends with its work or at its limit, in any order", async () => {
  const clock = install();
  try {
    const told: string[] = [];
    const watch = watcher(new Deadlines(4_000), told);
    const [first, middle, last] = ["a", "b", "c"].map(watch);
    middle!.resolve("b came");
    last!.reject(new Error("c failed"));
    await turn();
    assert.deepEqual(told, ["b came", "c failed"]);
    clock.tick(2_000);
    const later = watch("d");
    assert.equal(clock.countTimers(), 1);
    clock.tick(3_000);
    await turn();
    assert.deepEqual(told.splice(0), ["b came", "c failed", "a is late"]);
    first!.resolve("a came"); // Nobody waits for it any more.
    later.resolve("d came");
    await turn();
    assert.deepEqual(told, ["d came"]);
  } finally {
    clock.uninstall();
  }
});

Deno.test("Deadlines: no timer runs while nothing waits, and a later wait starts one again", async () => {
  const clock = install();
  try {
    const told: string[] = [];
    const watch = watcher(new Deadlines(1_000), told);
    watch("a").resolve("a came");
    await turn();
    clock.tick(1_000);
    assert.equal(clock.countTimers(), 0);
    watch("b");
    clock.tick(1_500);
    await turn();
    assert.deepEqual(told, ["a came", "b is late"]);
    assert.equal(clock.countTimers(), 0);
  } finally {
    clock.uninstall();
  }
});
