import assert from "node:assert/strict";
import { Redis } from "ioredis";
import type { Checkable } from "@taskcast/core/adapter";
import { TaskEngine } from "@taskcast/core";
import { TaskcastError } from "@taskcast/core/protocol";
import type { RedisServer } from "../../../testing/databases/redis_server.ts";
import { redisProgram, startRedis } from "../../../testing/databases/redis_server.ts";
import { until } from "../../../testing/sse/sse.ts";
import { createRedisAdapters } from "../mod.ts";

// Tests users that may change tasks but use no channels, which is the default of a new user of
// Redis 7.

const test = await redisProgram() === undefined ? () => {} : Deno.test;

/** Returns the address for a user with all commands and keys, and the channels of a pattern. */
async function userUrl(redis: RedisServer, ...rights: string[]): Promise<string> {
  const admin = new Redis(redis.url);
  await admin.call("ACL", "SETUSER", "app", "reset", "on", ">pw", "~*", "+@all", ...rights);
  admin.disconnect();
  return redis.url.replace("//", "//app:pw@");
}

function setUp(url: string) {
  const { broadcast, shortTerm } = createRedisAdapters(url, { timeoutMs: 1_000, partitions: 2 });
  const errors: unknown[] = [];
  const engine = new TaskEngine({
    broadcast,
    shortTermStore: shortTerm,
    options: { pollMs: 60_000 },
    hooks: { onUnhandledError: (error) => void errors.push(error) },
  });
  return {
    broadcast,
    shortTerm,
    engine,
    errors,
    async [Symbol.asyncDispose]() {
      await engine.close();
      await shortTerm.close();
      await broadcast.close();
    },
  };
}

async function problemOf(dependency: Checkable): Promise<string | undefined> {
  return (await dependency.check())?.message;
}

test("redis: commits are acknowledged even if the user may use no channel, which is reported", async () => {
  await using redis = await startRedis();
  await using here = setUp(await userUrl(redis, "resetchannels"));
  await here.engine.createTask({ id: "t" });
  const seen: unknown[] = [];
  const reading = (async () => {
    for await (const message of here.engine.subscribe("t", { filter: { types: ["n"] } })) {
      if (message.kind === "event") seen.push(message.event.data);
    }
  })();
  await until(() => here.engine.stats.streams === 1, "the reader is there");
  for (let data = 0; data < 3; data++) {
    const event = await here.engine.publishEvent("t", { type: "n", data });
    assert.equal(event.data, data);
  }
  const series = { seriesId: "s", seriesMode: "accumulate", seriesAccField: "delta" } as const;
  await here.engine.publishEvent("t", { type: "n", data: { delta: "a" }, ...series });
  // Readers of the same instance do not wait for a poll.
  await until(() => seen.length === 4, "the reader has everything");
  await here.engine.transitionTask("t", "completed");
  await reading;
  const [first] = here.errors;
  assert(first instanceof TaskcastError, String(first));
  assert.match(first.message, /may not use the channels that begin with "taskcast:".*&taskcast:\*/);
  assert.match(await problemOf(here.broadcast) ?? "", /&taskcast:\*/);
  assert.equal(await problemOf(here.shortTerm), undefined, "tasks can be changed and read");
});

test("redis: health publishes to itself, so each right that wake-ups need is missed", async () => {
  await using redis = await startRedis();
  for (
    const rights of [
      ["&*", "-publish"],
      ["&*", "-subscribe"],
      ["resetchannels", "&other:*"],
      ["resetchannels", "&taskcast:*:wake:*"], // Without the channel of all tasks.
      ["resetchannels", "&taskcast:*:wake"], // Without the channels of single tasks.
    ]
  ) {
    await using here = setUp(await userUrl(redis, ...rights));
    assert.match(await problemOf(here.broadcast) ?? "", /&taskcast:\*/, rights.join(" "));
  }
  for (const rights of [["&*"], ["resetchannels", "&taskcast:*"]]) {
    await using here = setUp(await userUrl(redis, ...rights));
    assert.equal(await problemOf(here.broadcast), undefined, rights.join(" "));
    await Promise.all([here.broadcast.check(), here.broadcast.check()]);
    await here.engine.createTask({ id: `t${rights.length}` });
    await here.engine.publishEvent(`t${rights.length}`, { type: "n", data: 1 });
    assert.deepEqual(here.errors, []);
  }
});

test("redis: rights that are taken and given again are noticed both times", async () => {
  await using redis = await startRedis();
  const url = await userUrl(redis, "&*");
  await using here = setUp(url);
  await here.engine.createTask({ id: "t" });
  assert.equal(await problemOf(here.broadcast), undefined);
  await userUrl(redis, "resetchannels");
  // Redis closes connections that listen on channels they lost the right to.
  const problem = () => problemOf(here.broadcast).catch(() => undefined);
  await until(async () => /&taskcast/.test(await problem() ?? ""), "it is missed");
  await here.engine.publishEvent("t", { type: "n", data: 1 });
  await userUrl(redis, "&*");
  await until(async () => await problemOf(here.broadcast) === undefined, "it is there again");
});

test("redis: what publishes and listens while health does hears nothing of that", async () => {
  await using redis = await startRedis();
  await using here = setUp(redis.url);
  const heard: string[] = [];
  const stop = await here.broadcast.subscribe({ all: true }, ({ taskId }) => heard.push(taskId));
  for (let i = 0; i < 4; i++) await here.broadcast.check();
  await here.broadcast.publish({ taskId: "t", from: 0, length: 1 });
  await until(() => heard.includes("t"), "it is still listened to");
  assert.deepEqual(heard, ["t"]);
  await stop();
  await here.broadcast.check();
  const admin = new Redis(redis.url);
  await until(
    async () => (await admin.call("PUBSUB", "CHANNELS") as string[]).length === 0,
    "left",
  );
  admin.disconnect();
});
