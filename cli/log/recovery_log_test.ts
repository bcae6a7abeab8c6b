import assert from "node:assert/strict";
import { fakeClock } from "../../testing/fake_clock.ts";
import type { LogFields } from "./logger.ts";
import { RecoveryLog } from "./recovery_log.ts";

/** A log for two dependencies whose states the test sets. */
function recovering() {
  const lines: [string, LogFields | undefined][] = [];
  const clock = fakeClock();
  const state = { store: "up", archive: "up", looks: 0 };
  const dependency = (name: "store" | "archive") => ({
    async check() {
      state.looks++;
      if (state[name] === "down") throw new Error("no connection");
      if (state[name] === "silent") await new Promise(() => {});
    },
  });
  const recovery = new RecoveryLog(
    { shortTerm: dependency("store"), longTerm: dependency("archive") },
    { log: { info: (line, fields) => lines.push([line, fields]) }, clock },
  );
  return { lines, clock, state, recovery };
}

Deno.test("RecoveryLog reports once that a dependency has recovered, and after how long", async () => {
  const { lines, clock, state, recovery } = recovering();
  state.store = "down";
  for (let second = 0; second < 60; second++) {
    for (let i = 0; i < 100; i++) recovery.onError();
    await clock.pass(1_000);
  }
  assert.equal(lines.length, 0, "nothing while it is away");
  assert(state.looks <= 2 * 61, `${state.looks} looks for 6000 errors`);
  state.archive = "silent";
  await clock.pass(7_500);
  state.store = "up";
  await clock.pass(10_000);
  assert.equal(lines.length, 1, "the archive is away still");
  const [line, fields] = lines[0]!;
  assert.match(line, /^the short-term store answers again, after (6[7-9]|7\d)(\.\d)? s$/);
  const { operation, dependency, awayMs } = fields!;
  assert.deepEqual([operation, dependency], ["recovery", "shortTerm"]);
  assert(Number(awayMs) >= 67_500 && Number(awayMs) < 75_000, `${awayMs}`);
  state.archive = "up";
  await clock.pass(10_000);
  assert.match(lines[1]![0], /^the archive answers again, after /);
  await clock.pass(60_000);
  assert.equal(lines.length, 2);
  assert.equal(clock.timers, 0, "who is well is not asked");
});

Deno.test("RecoveryLog says nothing of errors while all answer, and looks seldom", async () => {
  const { lines, clock, state, recovery } = recovering();
  await clock.pass(10_000);
  assert.equal(state.looks, 0, "no error, no look");
  for (let i = 0; i < 1_000; i++) {
    recovery.onError();
    await clock.pass(10);
  }
  assert(state.looks <= 2 * 11, `${state.looks} looks`);
  await clock.pass(2_000);
  assert.equal(clock.timers, 0);
  state.store = "down";
  recovery.onError();
  await clock.pass(100);
  recovery.close();
  state.store = "up";
  await clock.pass(5_000);
  assert.deepEqual(lines, []);
  assert.equal(clock.timers, 0);
});
