import assert from "node:assert/strict";
import { Redis } from "ioredis";
import type { EventInput } from "@taskcast/core";
import { TaskEngine } from "@taskcast/core";
import { redisProgram, startRedis } from "../../tests/support/redis_server.ts";
import { createRedisAdapters } from "./mod.ts";

// `redis_test.ts` says that it is left out.
const test = await redisProgram() === undefined ? () => {} : Deno.test;

/** Calls of each command so far, as Redis counts them. */
async function callsOf(admin: Redis): Promise<Map<string, number>> {
  const found = (await admin.info("commandstats")).matchAll(/cmdstat_(\w+):calls=(\d+)/g);
  return new Map([...found].map(([, name, calls]) => [name!, Number(calls)]));
}

test("redis: what the script of a publish asks of Redis, for one event and for a hundred", async () => {
  await using redis = await startRedis();
  const { broadcast, shortTerm } = createRedisAdapters(redis.url);
  const options = { sweepMs: 0 }; // Looking for due work would be counted, too.
  const engine = new TaskEngine({ broadcast, shortTermStore: shortTerm, options });
  const admin = new Redis(redis.port);

  async function costOf(work: () => Promise<unknown>): Promise<Record<string, number>> {
    const before = await callsOf(admin);
    await work();
    const after = await callsOf(admin);
    const grown = [...after].map(([name, calls]) => [name, calls - (before.get(name) ?? 0)]);
    return Object.fromEntries(grown.filter(([name, calls]) => name !== "info" && calls !== 0));
  }

  const plain: EventInput = { type: "n", data: 0 };
  const token: EventInput = {
    type: "llm.delta",
    data: { delta: "x" },
    seriesId: "s",
    seriesMode: "accumulate",
  };
  const hundred = (event: EventInput) => Array.from({ length: 100 }, () => event);
  await engine.createTask({ id: "t" });
  // What is new costs a little more: a script, a class, a series.
  await engine.publishEvent("t", plain);
  await engine.publishEvents("t", [plain, token]);

  // Whether the data is the same and the commit is new; what is known of the task; the event and its
  // place; what is known from now on; two channels.
  const one = { evalsha: 1, mget: 1, hmget: 1, set: 1, xadd: 1, append: 1, hset: 1, publish: 2 };
  assert.deepEqual(await costOf(() => engine.publishEvent("t", plain)), one);
  assert.deepEqual(
    await costOf(() => engine.publishEvents("t", hundred(plain))),
    { ...one, xadd: 100 },
  );
  // And of the series: what it is, its text, and which of its events is the newest.
  const ofSeries = { ...one, hget: 1, hset: 2, append: 2, zadd: 1 };
  assert.deepEqual(await costOf(() => engine.publishEvent("t", token)), ofSeries);
  assert.deepEqual(
    await costOf(() => engine.publishEvents("t", hundred(token))),
    { ...ofSeries, xadd: 100 },
  );
  // When there are 128 of a class, which these make it, they become a chunk: what is known of the class,
  // and its places so far; and then the next one is the first again.
  const closing = { hget: 1, get: 1, zadd: 1, del: 1 };
  assert.deepEqual(
    await costOf(() => engine.publishEvents("t", hundred(plain))),
    { ...one, xadd: 100, ...closing, hset: 2 },
  );
  assert.deepEqual(
    await costOf(() => engine.publishEvent("t", plain)),
    { ...one, hget: 1, hset: 2 },
  );
  admin.disconnect();
  await engine.close();
  await broadcast.close();
  await shortTerm.close();
});
