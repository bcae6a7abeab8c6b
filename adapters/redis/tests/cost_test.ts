import assert from "node:assert/strict";
import { Redis } from "ioredis";
import type { EventInput } from "@taskcast/core";
import { TaskEngine } from "@taskcast/core";
import { redisProgram, startRedis } from "../../../testing/databases/redis_server.ts";
import { createRedisAdapters } from "../mod.ts";

// `conformance_test.ts` reports the skip.
const test = await redisProgram() === undefined ? () => {} : Deno.test;

/** Returns the number of calls of each command so far, as Redis counts them. */
async function callsOf(admin: Redis): Promise<Map<string, number>> {
  const found = (await admin.info("commandstats")).matchAll(/cmdstat_(\w+):calls=(\d+)/g);
  return new Map([...found].map(([, name, calls]) => [name!, Number(calls)]));
}

/** Returns how often some work calls each command. */
async function costOf(admin: Redis, work: () => Promise<unknown>): Promise<Record<string, number>> {
  const before = await callsOf(admin);
  await work();
  const after = await callsOf(admin);
  const grown = [...after].map(([name, calls]) => [name, calls - (before.get(name) ?? 0)]);
  return Object.fromEntries(grown.filter(([name, calls]) => name !== "info" && calls !== 0));
}

test("redis: what the script of a publish asks of Redis, for one event and for a hundred", async () => {
  await using redis = await startRedis();
  const { broadcast, shortTerm } = createRedisAdapters(redis.url);
  const options = { sweepMs: 0 }; // Sweeps would be counted, too.
  const engine = new TaskEngine({ broadcast, shortTermStore: shortTerm, options });
  const admin = new Redis(redis.port);

  const plain: EventInput = { type: "n", data: 0 };
  const token: EventInput = {
    type: "llm.delta",
    data: { delta: "x" },
    seriesId: "s",
    seriesMode: "accumulate",
  };
  const hundred = (event: EventInput) => Array.from({ length: 100 }, () => event);
  await engine.createTask({ id: "t" });
  // First uses cost a little more: a script, an event kind, a series.
  await engine.publishEvent("t", plain);
  await engine.publishEvents("t", [plain, token]);

  // The generation and the commit number; the task; the event and its position; the new state; two
  // channels.
  const one = { evalsha: 1, mget: 1, hmget: 1, set: 1, xadd: 1, append: 1, hset: 1, publish: 2 };
  assert.deepEqual(await costOf(admin, () => engine.publishEvent("t", plain)), one);
  assert.deepEqual(
    await costOf(admin, () => engine.publishEvents("t", hundred(plain))),
    { ...one, xadd: 100 },
  );
  // Plus, for the series: its state, its text, and its newest event.
  const ofSeries = { ...one, hget: 1, hset: 2, append: 2, zadd: 1 };
  assert.deepEqual(await costOf(admin, () => engine.publishEvent("t", token)), ofSeries);
  assert.deepEqual(
    await costOf(admin, () => engine.publishEvents("t", hundred(token))),
    { ...ofSeries, xadd: 100 },
  );
  // These fill a chunk of 128 events of a kind: its state and its positions; the next event is then
  // the first again.
  const closing = { hget: 1, get: 1, zadd: 1, del: 1 };
  assert.deepEqual(
    await costOf(admin, () => engine.publishEvents("t", hundred(plain))),
    { ...one, xadd: 100, ...closing, hset: 2 },
  );
  assert.deepEqual(
    await costOf(admin, () => engine.publishEvent("t", plain)),
    { ...one, hget: 1, hset: 2 },
  );
  admin.disconnect();
  await engine.close();
  await broadcast.close();
  await shortTerm.close();
});

test("redis: a task is scheduled for the archive once, until the archive has it", async () => {
  await using redis = await startRedis();
  const { broadcast, shortTerm } = createRedisAdapters(redis.url);
  const admin = new Redis(redis.port);
  const bounds = { maxEvents: 1_000, maxBytes: 1_000_000 };
  const nowMs = 1_700_000_000_000;
  const event = { type: "n", level: "info", data: "0", entropy: 7 } as const;
  const task = { id: "t", status: "running", createdAt: nowMs, updatedAt: nowMs } as const;
  const record = { task, incarnation: "i", version: 1 };
  const commit = { taskId: "t", nowMs, events: [event], ...bounds };
  const append = () =>
    shortTerm.commit({ ...commit, expect: "live", schedule: { archive: nowMs + 5 } });
  const claim = (atMs: number) =>
    shortTerm.claim("archive", { nowMs: atMs, untilMs: atMs + 10, limit: 10 });
  await shortTerm.commit({ ...commit, expect: "absent", events: [], record });
  await append();

  const plain = { evalsha: 1, mget: 1, hmget: 1, set: 1, xadd: 1, append: 1, hset: 1, publish: 2 };
  assert.deepEqual(await costOf(admin, append), plain);
  assert.deepEqual((await claim(nowMs + 5)).taskIds, ["t"]);
  assert.deepEqual(await costOf(admin, append), plain); // A claimed task stays scheduled.
  const has = (length: number) =>
    shortTerm.archived("t", { incarnation: "i", version: 1, length }, { againAtMs: nowMs + 50 });
  assert.equal(await has(2), false);
  assert.deepEqual(await costOf(admin, append), plain); // As when it was scheduled again.
  assert.equal(await has(4), true);
  assert.deepEqual((await claim(nowMs + 500)).taskIds, []);
  // The next event schedules it again.
  assert.deepEqual(await costOf(admin, append), { ...plain, hset: 2, zadd: 1 });
  assert.deepEqual((await claim(nowMs + 500)).taskIds, ["t"]);
  // Likewise after that was removed.
  assert(await shortTerm.schedule("t", "archive", undefined, { incarnation: "i", version: 1 }));
  assert.deepEqual(await costOf(admin, append), { ...plain, hset: 2, zadd: 1 });
  assert(await shortTerm.schedule("t", "archive", undefined, { incarnation: "i", version: 1 }));
  assert(await shortTerm.schedule("t", "archive", nowMs, { incarnation: "i", version: 1 }));
  assert.deepEqual(await costOf(admin, append), plain);
  admin.disconnect();
  await broadcast.close();
  await shortTerm.close();
});

test("redis: what reading a page asks of Redis, whether it is of ten events or of a thousand", async () => {
  await using redis = await startRedis();
  const { broadcast, shortTerm } = createRedisAdapters(redis.url);
  const options = { sweepMs: 0 };
  const engine = new TaskEngine({ broadcast, shortTermStore: shortTerm, options });
  const admin = new Redis(redis.port);
  await engine.createTask({ id: "t" });
  for (let i = 0; i < 20; i++) {
    await engine.publishEvents(
      "t",
      Array.from({ length: 100 }, () => ({ type: "n", data: 12345 })),
    );
  }
  const read = (limit: number, plain: boolean) => async () => {
    const page = await shortTerm.readLog("t", {
      after: 99,
      limit,
      maxBytes: 1_000_000,
      standalone: plain,
    });
    assert.equal(page?.events.length, limit);
  };
  await read(1, false)(); // Loads the script.

  // The generation; the task; the events.
  const short = { evalsha: 1, get: 1, hmget: 1, xrange: 1 };
  assert.deepEqual(await costOf(admin, read(10, false)), short);
  // Whether there is room for all; then the rest without a script, in the same incarnation.
  const long = { ...short, strlen: 1, xrange: 2, hget: 1 };
  assert.deepEqual(await costOf(admin, read(1_000, false)), long);
  // Whether all events are standalone.
  assert.deepEqual(await costOf(admin, read(1_000, true)), { ...long, hgetall: 1, hlen: 1 });
  admin.disconnect();
  await engine.close();
  await broadcast.close();
  await shortTerm.close();
});

test("redis: where a page has no room for what follows, that is asked once", async () => {
  await using redis = await startRedis();
  const { broadcast, shortTerm } = createRedisAdapters(redis.url);
  const engine = new TaskEngine({ broadcast, shortTermStore: shortTerm, options: { sweepMs: 0 } });
  const admin = new Redis(redis.port);
  await engine.createTask({ id: "t" });
  const event = { type: "n", data: "x".repeat(2_000) };
  await engine.publishEvents("t", Array.from({ length: 200 }, () => event));
  const read = (maxBytes: number, length: number) => async () => {
    const page = await shortTerm.readLog("t", { after: -1, limit: 1_000, maxBytes });
    assert.equal(page?.events.length, length);
  };
  await read(1_000, 1)();
  // All by the script, in steps of what fits; from the second step on after a check.
  const short = { evalsha: 1, get: 1, hmget: 1 };
  assert.deepEqual(await costOf(admin, read(60_000, 30)), { ...short, xrange: 1 });
  const { getrange, ...others } = await costOf(admin, read(90_000, 45));
  assert.deepEqual(others, { ...short, xrange: 2, strlen: 1 });
  assert(getrange! <= 8);
  admin.disconnect();
  await engine.close();
  await broadcast.close();
  await shortTerm.close();
});
