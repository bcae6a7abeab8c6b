import assert from "node:assert/strict";
import { ArchivePace } from "./archive_pace.ts";

/** A clock that advances only for pauses and work, and records the pauses. */
function setUp({ timersFire = true, percent = 50 } = {}) {
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
  }, percent);
  /** A write of a given duration, during which something may be published. */
  const write = (tookMs: number, { publishing = false } = {}) =>
    pace.step(() => {
      nowMs += tookMs;
      if (publishing) pace.notePublish();
      return Promise.resolve(tookMs);
    });
  return { pace, rests, write };
}

Deno.test("archiving rests as long as it wrote while events are published, and gives what was written", async () => {
  const { rests, write } = setUp();
  assert.equal(await write(30, { publishing: true }), 30);
  assert.equal(await write(12, { publishing: true }), 12);
  assert.deepEqual(rests, [30, 12]);
});

Deno.test("archiving does not pause while nothing is published", async () => {
  const { pace, rests, write } = setUp();
  pace.notePublish();
  await write(30);
  await write(30, { publishing: true });
  await write(30);
  assert.deepEqual(rests, [30]);
});

Deno.test("pauses of archiving are bounded, however slow the archive is", async () => {
  const { rests, write } = setUp();
  await write(3_000, { publishing: true });
  assert.deepEqual(rests, [200]);
});

Deno.test("archiving takes the configured share of the time", async () => {
  for (const [percent, restMs] of [[100, undefined], [80, 10], [50, 40], [20, 160], [10, 360]]) {
    const { rests, write } = setUp({ percent });
    await write(40, { publishing: true });
    assert.deepEqual(rests, restMs === undefined ? [] : [restMs]);
  }
});

Deno.test("archiving that is closed ends its rest, and has no other", async () => {
  const { pace, rests, write } = setUp({ timersFire: false });
  const written = write(30, { publishing: true });
  while (rests.length === 0) await Promise.resolve();
  pace.close();
  assert.equal(await written, 30);
  assert.equal(await write(30, { publishing: true }), 30);
  assert.deepEqual(rests, [30]);
});

Deno.test("archiving does not pause after a failed write", async () => {
  const { pace, rests } = setUp();
  await assert.rejects(pace.step(() => {
    pace.notePublish();
    return Promise.reject(new Error("away"));
  }));
  assert.deepEqual(rests, []);
});
