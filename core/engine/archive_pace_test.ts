import assert from "node:assert/strict";
import { ArchivePace } from "./archive_pace.ts";

/** A clock that stands still but for rests and for work, and remembers the rests. */
function setUp({ timersFire = true } = {}) {
  let nowMs = 1_000;
  const rests: number[] = [];
  const pace = new ArchivePace({
    now: () => nowMs,
    setTimeout(callback, ms) {
      rests.push(ms);
      nowMs += ms;
      if (timersFire) callback();
    },
    clearTimeout() {},
  });
  /** A write that takes so long; something may be published meanwhile. */
  const write = (tookMs: number, { publishing = false } = {}) =>
    pace.write(() => {
      nowMs += tookMs;
      if (publishing) pace.published();
      return Promise.resolve(tookMs);
    });
  return { pace, rests, write, pass: (ms: number) => nowMs += ms };
}

Deno.test("archiving rests as long as it wrote while events are published, and gives what was written", async () => {
  const { pace, rests, write } = setUp();
  pace.begin(5_000);
  assert.equal(await write(30, { publishing: true }), 30);
  assert.equal(await write(12, { publishing: true }), 12);
  assert.deepEqual(rests, [30, 12]);
});

Deno.test("archiving has no rest where nothing is published, though something was before", async () => {
  const { pace, rests, write } = setUp();
  pace.published();
  pace.begin(5_000);
  await write(30);
  await write(30, { publishing: true });
  await write(30);
  assert.deepEqual(rests, [30]);
});

Deno.test("archiving rests no longer than what nobody notices, however slow the archive is", async () => {
  const { pace, rests, write } = setUp();
  pace.begin(5_000);
  await write(3_000, { publishing: true });
  assert.deepEqual(rests, [200]);
});

Deno.test("archiving that is behind has no rest until it begins with other tasks", async () => {
  const { pace, rests, write, pass } = setUp();
  pace.begin(5_000);
  pass(4_990);
  await write(10, { publishing: true });
  assert.deepEqual(rests, []);
  pace.begin(5_000);
  await write(10, { publishing: true });
  assert.deepEqual(rests, [10]);
});

Deno.test("archiving that is closed ends its rest, and has no other", async () => {
  const { pace, rests, write } = setUp({ timersFire: false });
  pace.begin(5_000);
  const written = write(30, { publishing: true });
  while (rests.length === 0) await Promise.resolve();
  pace.close();
  assert.equal(await written, 30);
  assert.equal(await write(30, { publishing: true }), 30);
  assert.deepEqual(rests, [30]);
});

Deno.test("archiving does not rest behind a write that failed", async () => {
  const { pace, rests } = setUp();
  pace.begin(5_000);
  await assert.rejects(pace.write(() => {
    pace.published();
    return Promise.reject(new Error("away"));
  }));
  assert.deepEqual(rests, []);
});
