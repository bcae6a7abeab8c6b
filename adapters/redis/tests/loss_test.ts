import assert from "node:assert/strict";
import { Redis } from "ioredis";
import { TaskEngine } from "@taskcast/core";
import { TaskcastError } from "@taskcast/core/protocol";
import { redisProgram, startRedis } from "../../../testing/databases/redis_server.ts";
import { until } from "../../../testing/sse/sse.ts";
import { createRedisAdapters } from "../mod.ts";

// Tests instances whose Redis lost data, and how they continue without a restart.

const hasRedis = await redisProgram() !== undefined;
const test = hasRedis ? Deno.test : () => {}; // `conformance_test.ts` reports the skip.

const PARTITIONS = 4;

function startInstance(url: string) {
  const adapters = createRedisAdapters(url, { partitions: PARTITIONS });
  const { broadcast, shortTerm } = adapters;
  const engine = new TaskEngine({
    broadcast,
    shortTermStore: shortTerm,
    options: { pollMs: 100, storeRetryMs: 20 },
    hooks: { onUnhandledError() {} },
  });
  return {
    ...adapters,
    engine,
    /** Returns why a task cannot be read, or "". */
    refusal: async (id: string) => {
      try {
        await engine.getTask(id);
        return "";
      } catch (error) {
        if (!(error instanceof TaskcastError)) throw error;
        assert.equal(error.code, "STORE_UNAVAILABLE");
        return error.message;
      }
    },
    async health() {
      const { ok, error, degraded } = (await engine.check()).shortTermStore!;
      return { ok, told: error ?? degraded ?? "" };
    },
    async [Symbol.asyncDispose]() {
      await engine.close();
      await shortTerm.close();
      await broadcast.close();
    },
  };
}

/** Enough for each partition to have some. */
const IDS = Array.from({ length: 24 }, (_, i) => `t${i}`);

const wordIn = (message: string) => /accept-loss ([0-9a-f]{8})/.exec(message)![1]!;

test("redis: a loss that an operator accepts is over on all instances, and only that one", async () => {
  await using redis = await startRedis();
  await using stack = new AsyncDisposableStack();
  const admin = stack.adopt(new Redis(redis.port), (client) => client.disconnect());
  await using here = startInstance(redis.url);
  for (const id of IDS) await here.engine.createTask({ id });
  await using there = startInstance(redis.url);
  for (const id of IDS) assert.equal(await there.refusal(id), "");
  const reading = (async () => {
    const reasons: string[] = [];
    for await (const message of here.engine.subscribe("t0")) {
      if (message.kind === "done") reasons.push(message.reason);
    }
    return reasons;
  })();
  await until(() => here.engine.stats.streams === 1, "the reader is there");

  await admin.flushall();
  await using started = startInstance(redis.url);
  await started.engine.createTask({ id: "t0" });
  for (const { refusal } of [here, there]) {
    for (const id of IDS) assert.match(await refusal(id), /lost or replaced/);
  }
  const told = await here.refusal("t0");
  assert.match(told, /4 of 4 partitions/);
  for (const instance of [here, there]) {
    const { ok, told } = await instance.health();
    assert(!ok);
    assert.match(told, /taskcast redis accept-loss [0-9a-f]{8}"$/);
  }

  const word = wordIn(told);
  assert.equal(
    await started.shortTerm.acceptLoss("0123abcd"),
    PARTITIONS,
    "nobody knew it by this word",
  );
  assert.match(await here.refusal("t0"), /lost or replaced/);
  assert.equal(await started.shortTerm.acceptLoss(word), PARTITIONS);
  for (const { engine, refusal, health } of [here, there]) {
    for (const id of IDS) await until(async () => await refusal(id) === "", "it goes on");
    assert.deepEqual(await health(), { ok: true, told: "" });
    assert.equal((await engine.getTask("t0"))?.id, "t0");
    assert.equal(await engine.getTask("t1"), undefined);
    await engine.publishEvent("t0", { type: "n", data: 1 });
  }
  assert.deepEqual(await reading, ["deleted"], "who followed what is gone is told so");
  assert.equal((await started.engine.getEvents("t0")).events.length, 2);

  // A later loss is a separate one.
  await admin.flushall();
  await assert.rejects(here.shortTerm.due(Date.now(), 100), { code: "STORE_UNAVAILABLE" });
  for (const { refusal } of [here, there, started]) {
    const again = await refusal("t0");
    assert.match(again, /lost or replaced/);
    assert.notEqual(wordIn(again), word);
  }
});

test("redis: a lost partition is refused alone, and continues when its data is back", async () => {
  await using redis = await startRedis();
  await using stack = new AsyncDisposableStack();
  const admin = stack.adopt(new Redis(redis.port), (client) => client.disconnect());
  await using here = startInstance(redis.url);
  for (const id of IDS) await here.engine.createTask({ id, ttl: 1_000 });
  const keys = await admin.keys("taskcast:{p1}:*");
  const dumps = await Promise.all(keys.map((key) => admin.dumpBuffer(key)));
  await admin.del(...keys);
  const refusals = await Promise.all(IDS.map((id) => here.refusal(id)));
  const lost = IDS.filter((_, i) => refusals[i] !== "");
  assert(lost.length > 0 && lost.length < IDS.length, `${lost}`);
  await until(async () => (await here.health()).told !== "", "health has looked");
  const { ok, told } = await here.health();
  assert(ok);
  assert.match(told, /1 of 4 partitions/);
  // Lost partitions do not hold up work of the others.
  const nowMs = Date.now();
  const due = await here.shortTerm.due(nowMs + 1e9, 100);
  assert.deepEqual(
    due.entries.map(({ taskId }) => taskId).sort(),
    IDS.filter((id) => !lost.includes(id)).sort(),
  );
  assert(due.nextAtMs! <= nowMs + 1e9 + 1_000, "they are asked again soon");
  const word = wordIn(told);
  assert.equal(await here.shortTerm.acceptLoss("ffffffff"), PARTITIONS);
  for (const [i, key] of keys.entries()) await admin.restore(key, 0, dumps[i]!, "REPLACE");
  for (const id of IDS) await until(async () => await here.refusal(id) === "", "it is back");
  for (const id of IDS) assert.equal((await here.engine.getTask(id))?.id, id);
  assert.deepEqual(await here.health(), { ok: true, told: "" });
  assert.equal(await here.shortTerm.acceptLoss(word), 0, "what is there cannot be lost");
  for (const id of IDS) assert.equal((await here.engine.getTask(id))?.id, id);
});

test("redis: a loss is accepted by the word that errors name, and by nothing else", async () => {
  await using redis = await startRedis();
  await using here = startInstance(redis.url);
  for (const words of [[], [""], ["abc"], ["0123abcd", "x"], ["0123ABCD"], ["*"]]) {
    await assert.rejects(here.shortTerm.acceptLoss(...words), TypeError);
  }
});
