import assert from "node:assert/strict";
import { Redis } from "ioredis";
import type { ShortTermStore } from "@taskcast/core/adapter";
import { TaskEngine } from "@taskcast/core";
import { TaskcastError } from "@taskcast/core/protocol";
import { redisProgram, startRedis } from "../../../testing/databases/redis_server.ts";
import { createRedisAdapters } from "../mod.ts";

// Tests the loss of one key of a task, by an eviction or by hand. Every answer must be as if
// nothing were lost, or DATA_LOST.

const test = await redisProgram() === undefined ? () => {} : Deno.test;

const EVENTS = 300;

/** Fills a task with standalone events of two types, a text, a latest value, and a producer. */
async function fill(engine: TaskEngine, id: string): Promise<void> {
  await engine.createTask({ id });
  for (let i = 0; i < EVENTS; i += 50) {
    await engine.publishEvents(
      id,
      Array.from({ length: 50 }, (_, n) => ({ type: n % 3 === 0 ? "a" : "b", data: i + n })),
    );
  }
  const text = { seriesId: "text", seriesMode: "accumulate", seriesAccField: "delta" } as const;
  await engine.publishEvent(id, { type: "token", data: { delta: "one " }, ...text });
  await engine.publishEvent(id, { type: "token", data: { delta: "two " }, ...text });
  const state = { seriesId: "state", seriesMode: "latest" } as const;
  await engine.publishEvent(id, { type: "state", data: { step: 1 }, ...state });
  for (let seq = 0; seq < 3; seq++) {
    await engine.publishEvent(id, { type: "p", data: seq, producerId: "p", producerSeq: seq });
  }
}

/** Queries that must each be answered correctly or not at all. */
function questions(store: ShortTermStore, id: string): Record<string, () => Promise<unknown>> {
  const all = { after: -1, limit: 10_000 };
  return {
    head: () => store.getTask(id),
    log: () => store.readLog(id, all),
    "pages of the log": () => store.readLog(id, { after: -1, limit: 10, maxBytes: 100_000 }),
    "log from the middle": () => store.readLog(id, { ...all, after: EVENTS / 2 }),
    backward: () => store.readLog(id, { ...all, backward: true }),
    "newest, backward": () => store.readLog(id, { after: -1, limit: 3, backward: true }),
    plain: () => store.readLog(id, { ...all, standalone: true }),
    "one type": () => store.readLog(id, { ...all, filter: { types: ["a"] } }),
    "one type, backward": () =>
      store.readLog(id, { ...all, backward: true, filter: { types: ["a"] } }),
    ...Object.fromEntries(
      ["token", "state", "p", "taskcast:*"].map((type) => [
        `events of ${type}`,
        () => store.readLog(id, { ...all, filter: { types: [type] } }),
      ]),
    ),
    folds: () => store.readFolds(id, { after: -1, limit: 999 }),
    count: () => store.countMatches(id, { types: ["a"] }, [0, 10, EVENTS - 1]),
    "count of tokens": () => store.countMatches(id, { types: ["token"] }, [EVENTS + 1]),
  };
}

async function answerTo(question: () => Promise<unknown>): Promise<unknown> {
  try {
    return await question();
  } catch (error) {
    assert(error instanceof TaskcastError, String(error));
    assert.equal(error.code, "DATA_LOST", error.message);
    return "lost";
  }
}

async function setUp(url: string) {
  const { broadcast, shortTerm } = createRedisAdapters(url, { partitions: 1 });
  const engine = new TaskEngine({
    broadcast,
    shortTermStore: shortTerm,
    hooks: { onUnhandledError() {} },
  });
  const admin = new Redis(url);
  await admin.ping();
  return {
    shortTerm,
    engine,
    admin,
    async [Symbol.asyncDispose]() {
      admin.disconnect();
      await engine.close();
      await shortTerm.close();
      await broadcast.close();
    },
  };
}

/** Returns all keys of a task, without the partition. */
async function keysOf(admin: Redis, id: string): Promise<string[]> {
  const keys = await admin.keys(`taskcast:{p0}:*:${id}*`);
  return keys.filter((key) => key.split(":")[3] === id).sort();
}

test("redis: with any key of a task gone no answer is wrong, before and after more is published", async () => {
  await using redis = await startRedis();
  await using here = await setUp(redis.url);
  const { shortTerm, engine, admin } = here;
  await fill(engine, "t");
  const keys = await keysOf(admin, "t");
  // Each kind must exist, or the test covers less than it claims.
  for (const kind of ["task", "log", "classes", "open", "places", "series", "newest", "text"]) {
    assert(keys.some((key) => key.startsWith(`taskcast:{p0}:${kind}:t`)), `${kind} in ${keys}`);
  }
  const more = async (id: string, round: number) => {
    const text = { seriesId: "text", seriesMode: "accumulate", seriesAccField: "delta" } as const;
    for (let i = 0; i < 90; i++) {
      await engine.publishEvent(id, { type: "a", data: `${round} ${i}` });
    }
    await engine.publishEvent(id, { type: "new", data: round });
    await engine.publishEvent(id, { type: "token", data: { delta: `more ${round} ` }, ...text });
    await engine.publishEvent(id, { type: "token", data: { delta: "x" }, ...text, seriesId: "t2" });
  };
  for (const [n, key] of keys.entries()) {
    const id = `gone${n}`;
    const whole = `whole${n}`;
    await fill(engine, id);
    await fill(engine, whole);
    const gone = await admin.del(key.replace(/(?<=}:\w+:)t(?=:|$)/, id));
    assert.equal(gone, 1, key);
    const lost = new Set<string>();
    for (let round = 0; round < 3; round++) {
      for (const [name, question] of Object.entries(questions(shortTerm, id))) {
        const answer = await answerTo(question);
        if (answer === "lost") lost.add(name);
        else {
          const right = await questions(shortTerm, whole)[name]!();
          assert.deepEqual(comparable(answer), comparable(right), `${name} without ${key}`);
        }
      }
      const stored = await answerTo(() => more(id, round));
      if (stored === "lost") break; // The commit was refused.
      await more(whole, round);
    }
    const isDerived = /:(pages|sent|producers):/.test(key);
    assert(isDerived || lost.size > 0, `nothing is noticed without ${key}`);
    assert.equal(await shortTerm.deleteTask(id), true, `it can be deleted without ${key}`);
    assert.deepEqual(await keysOf(admin, id), [], `nothing of it is left without ${key}`);
    await shortTerm.deleteTask(whole);
  }
});

test("redis: a producer whose sequence numbers are lost is not treated as a new one", async () => {
  await using redis = await startRedis();
  await using here = await setUp(redis.url);
  for (const kind of ["producers", "sent"]) {
    const id = kind;
    await fill(here.engine, id);
    await here.admin.del(
      kind === "sent" ? `taskcast:{p0}:sent:${id}:0` : `taskcast:{p0}:${kind}:${id}`,
    );
    const length = (await here.shortTerm.getTask(id))!.length;
    for (const seq of [0, 1]) {
      const again = () =>
        here.engine.publishEvent(id, {
          type: "p",
          data: seq,
          producerId: "p",
          producerSeq: seq,
        });
      assert.equal(await answerTo(again), "lost", `${kind} ${seq}`);
    }
    assert.equal((await here.shortTerm.getTask(id))!.length, length);
  }
});

test("redis: the id of a task with a lost head is given to no other task", async () => {
  await using redis = await startRedis();
  await using here = await setUp(redis.url);
  await fill(here.engine, "t");
  await here.admin.del("taskcast:{p0}:task:t");
  const before = await keysOf(here.admin, "t");
  assert.equal(await answerTo(() => here.engine.createTask({ id: "t" })), "lost");
  assert.equal(await answerTo(() => here.engine.publishEvent("t", { type: "a", data: 1 })), "lost");
  assert.equal(await answerTo(() => here.engine.getTask("t")), "lost");
  // Lists still show other tasks.
  await here.engine.createTask({ id: "other", type: "x" });
  for (const filter of [{}, { types: ["x"] }, { statuses: ["pending"] as const }]) {
    const { tasks } = await here.shortTerm.listTasks({ limit: 10, ...filter });
    assert.deepEqual(tasks.map(({ task }) => task.id), ["other"]);
  }
  assert.deepEqual(await keysOf(here.admin, "t"), before);
});

test("redis: what was trimmed or deleted is not taken for lost", async () => {
  await using redis = await startRedis();
  await using here = await setUp(redis.url);
  const { engine, shortTerm } = here;
  await fill(engine, "t");
  await engine.transitionTask("t", "completed");
  const head = (await shortTerm.getTask("t"))!;
  const { incarnation } = head.record;
  const indexes = Array.from({ length: EVENTS + 2 }, (_, i) => i);
  assert.equal(
    await shortTerm.trimLog("t", incarnation, { indexes, series: ["text"] }),
    EVENTS + 2,
  );
  for (const question of Object.values(questions(shortTerm, "t"))) {
    assert.notEqual(await answerTo(question), "lost");
  }
  await engine.deleteTask("t");
  await fill(engine, "t");
  for (const question of Object.values(questions(shortTerm, "t"))) {
    assert.notEqual(await answerTo(question), "lost");
  }
});

/** Removes what differs between two identically filled tasks. */
function comparable(answer: unknown): unknown {
  const differs = new Set(["incarnation", "id", "createdAt", "updatedAt", "timestamp", "entropy"]);
  return JSON.parse(
    JSON.stringify(answer ?? null, (key, value) => differs.has(key) ? undefined : value),
  );
}
