import assert from "node:assert/strict";
import fc from "fast-check";
import type { Rate } from "./rate_limiter.ts";
import { RateLimiter } from "./rate_limiter.ts";

function limiter(rate: Rate, maxBuckets = 100) {
  const clock = { nowMs: 5_000 };
  const options = { name: "rate", maxBuckets, now: () => clock.nowMs };
  return { clock, limiter: new RateLimiter(rate, options) };
}

Deno.test("RateLimiter allows a burst, then one token per interval, and returns the time to wait", () => {
  const { clock, limiter: rate } = limiter({ requestsPerSecond: 4, burst: 3 });
  assert.deepEqual([1, 2, 3].map(() => rate.take("a")), [0, 0, 0]);
  assert.equal(rate.take("a"), 250);
  assert.equal(rate.take("b"), 0, "another key has its own");
  clock.nowMs += 249;
  assert.equal(rate.take("a"), 1);
  clock.nowMs += 1;
  assert.equal(rate.take("a"), 0);
  assert.equal(rate.take("a"), 250, "what was refused cost nothing, and no more was saved up");
  clock.nowMs += 3_600_000;
  assert.deepEqual([1, 2, 3, 4].map(() => rate.take("a") === 0), [true, true, true, false]);
});

Deno.test("RateLimiter behaves like a bucket that is refilled in small steps", () => {
  fc.assert(fc.property(
    fc.integer({ min: 1, max: 50 }),
    fc.integer({ min: 1, max: 20 }),
    fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 200 }),
    (requestsPerSecond, burst, pauses) => {
      const { clock, limiter: rate } = limiter({ requestsPerSecond, burst });
      let drops = burst * 1000; // In thousandths, so that the model counts in integers.
      for (const pause of pauses) {
        clock.nowMs += pause;
        drops = Math.min(burst * 1000, drops + pause * requestsPerSecond);
        const waitMs = rate.take("a");
        assert.equal(waitMs === 0, drops >= 1000, `${drops}`);
        if (waitMs === 0) drops -= 1000;
        else assert(Math.abs(waitMs - (1000 - drops) / requestsPerSecond) < 1e-3);
      }
    },
  ));
});

Deno.test("RateLimiter removes full buckets and never keeps more than its maximum", () => {
  const { clock, limiter: rate } = limiter({ requestsPerSecond: 1, burst: 2 }, 50);
  for (let i = 0; i < 1_000; i++) {
    rate.take(`stranger ${i}`);
    assert(rate.size <= 50);
  }
  assert.equal(rate.size, 50);
  clock.nowMs += 10_000;
  for (let i = 0; i < 60; i++) rate.charge("a");
  assert.equal(rate.size, 1, "the idle ones are gone");
  // A key in use is not forgotten first.
  for (let i = 0; i < 49; i++) {
    rate.take(`stranger ${i}`);
    rate.charge("a");
  }
  rate.take("one more");
  assert(rate.waitMs("a") > 0);
});

Deno.test("RateLimiter.charge() counts past events, and the debt is bounded", () => {
  const { clock, limiter: rate } = limiter({ requestsPerSecond: 1, burst: 2 });
  for (let i = 0; i < 100; i++) rate.charge("a");
  assert.equal(rate.waitMs("a"), 3_000);
  assert.equal(rate.waitMs("a"), 3_000, "looking takes nothing");
  clock.nowMs += 3_000;
  assert.equal(rate.waitMs("a"), 0);
});

Deno.test("RateLimiter rejects invalid rates", () => {
  const bad = [
    { requestsPerSecond: 0 },
    { requestsPerSecond: -1 },
    { requestsPerSecond: NaN },
    {
      requestsPerSecond: Infinity,
    },
    { requestsPerSecond: 1, burst: 0 },
    { requestsPerSecond: 1, burst: 1.5 },
  ];
  for (const rate of bad) assert.throws(() => limiter(rate), /^TypeError: rate\./);
  assert.throws(() => limiter({ requestsPerSecond: 1 }, 0), /^TypeError: rate\.maxBuckets/);
  assert.equal(limiter({ requestsPerSecond: 0.01 }).limiter.take("a"), 0);
});
