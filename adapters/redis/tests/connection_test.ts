import assert from "node:assert/strict";
import { Redis } from "ioredis";
import { TaskEngine } from "@taskcast/core";
import type { MovingProxy } from "../../../testing/network/moving_proxy.ts";
import { movingProxy } from "../../../testing/network/moving_proxy.ts";
import { redisProgram, startRedis } from "../../../testing/databases/redis_server.ts";
import { until } from "../../../testing/sse/sse.ts";
import type { RedisAdapterOptions, RedisAdapters } from "../mod.ts";
import { createRedisAdapters } from "../mod.ts";

// Tests open but unusable connections: to a server that became a replica, or to a silent one.

const hasRedis = await redisProgram() !== undefined;
const test = hasRedis ? Deno.test : () => {}; // `conformance_test.ts` reports the skip.

interface SetUp extends RedisAdapters {
  engine: TaskEngine;
  publishes(): Promise<boolean>;
  isOk(): Promise<boolean>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * @param owner The owner of the connections: the adapters, or the caller, with default options or
 *   with options that drop pending replies when a connection breaks.
 */
function setUp(
  url: string,
  owner: "ours" | "theirs" | "theirs, forgetful",
  options?: RedisAdapterOptions,
): SetUp {
  const clients = owner === "ours" ? [] : [1, 2, 3].map(() => {
    const client = new Redis(url, { autoResendUnfulfilledCommands: owner === "theirs" });
    client.on("error", () => {});
    return client;
  });
  const [pub, sub, store] = clients;
  const { broadcast, shortTerm } = owner === "ours"
    ? createRedisAdapters(url, options)
    : createRedisAdapters(pub!, sub!, store!, options);
  const engine = new TaskEngine({
    broadcast,
    shortTermStore: shortTerm,
    hooks: { onUnhandledError() {} },
  });
  return {
    broadcast,
    shortTerm,
    engine,
    publishes: () => succeeds(engine.publishEvent("t", { type: "n", data: 1 })),
    isOk: () => succeeds(shortTerm.check()),
    async [Symbol.asyncDispose]() {
      await engine.close();
      await shortTerm.close();
      await broadcast.close();
      for (const client of clients) client.disconnect();
    },
  };
}

async function succeeds(work: Promise<unknown> | void): Promise<boolean> {
  try {
    await work;
    return true;
  } catch {
    return false;
  }
}

for (const owner of ["ours", "theirs"] as const) {
  test(`redis: the address moved, and the old master only reads: ${owner}`, async () => {
    const args = ["--repl-diskless-sync-delay", "0"];
    await using old = await startRedis({ args });
    await using next = await startRedis({ args });
    const [oldAdmin, nextAdmin] = [new Redis(old.port), new Redis(next.port)];
    await using proxy = movingProxy(old.url);
    await using here = setUp(proxy.url, owner, { partitions: 2 });
    await here.engine.createTask({ id: "t" });
    await nextAdmin.call("REPLICAOF", "127.0.0.1", `${old.port}`);
    await until(async () => await nextAdmin.dbsize() === await oldAdmin.dbsize(), "it is a copy");
    await nextAdmin.call("REPLICAOF", "NO", "ONE");
    await oldAdmin.call("REPLICAOF", "127.0.0.1", `${next.port}`);
    await until(async () => (await oldAdmin.info("replication")).includes("link_status:up"), "up");
    assert(!await here.isOk(), "a server that only reads is told");
    const before = proxy.connections;
    await until(async () => !await here.isOk() && proxy.connections > before, "it looks again");
    proxy.moveTo(next.url);
    await until(() => here.publishes(), "it publishes again");
    await until(() => here.isOk(), "it is well");
    oldAdmin.disconnect();
    nextAdmin.disconnect();
  });

  test(`redis: a store whose connection fell silent makes another: ${owner}`, async () => {
    await using redis = await startRedis();
    await using proxy = movingProxy(redis.url);
    await using here = setUp(proxy.url, owner, { timeoutMs: 200, partitions: 2 });
    await here.engine.createTask({ id: "t" });
    proxy.silence();
    assert(!await here.publishes());
    await until(() => here.publishes(), "it publishes again");
  });

  test(`redis: wake-ups whose connections fell silent come again: ${owner}`, async () => {
    await using redis = await startRedis();
    await using proxy: MovingProxy = movingProxy(redis.url);
    await using there = setUp(redis.url, "ours");
    await using here = setUp(proxy.url, owner, { timeoutMs: 200 });
    let heard = 0;
    await here.broadcast.subscribe({ taskId: "t" }, () => heard++);
    const signal = { taskId: "t", from: 0, length: 1 };
    await there.broadcast.publish(signal);
    await until(() => heard > 0, "it hears");
    proxy.silence();
    heard = 0;
    await until(async () => {
      await there.broadcast.publish(signal);
      return heard > 0;
    }, "it hears again, though nobody asked");
    await until(() => succeeds(here.broadcast.publish(signal)), "it tells again");
  });
}

for (const owner of ["ours", "theirs", "theirs, forgetful"] as const) {
  test(`redis: as many as may wait for a silent connection do not stay for ever: ${owner}`, async () => {
    await using redis = await startRedis();
    await using proxy = movingProxy(redis.url);
    await using here = setUp(proxy.url, owner, { maxPending: 5, timeoutMs: 200, partitions: 2 });
    await here.engine.createTask({ id: "t" });
    proxy.silence();
    await Promise.all(Array.from({ length: 5 }, () => here.publishes()));
    await until(() => here.publishes(), "it publishes again");
    const { connections } = proxy;
    for (let i = 0; i < 50; i++) assert(await here.publishes());
    await here.shortTerm.check();
    assert.equal(proxy.connections, connections, "it stays");
  });
}

test("redis: a connection that is silent from the start is abandoned", async () => {
  await using redis = await startRedis();
  await using proxy = movingProxy(redis.url);
  await using here = setUp(proxy.url, "ours", { timeoutMs: 200, partitions: 2 });
  await here.engine.createTask({ id: "t" });
  // The kernel accepts connections for a frozen process, and they stay silent.
  redis.process.kill("SIGSTOP");
  const before = proxy.connections;
  await until(async () => {
    await here.publishes();
    return proxy.connections > before;
  }, "it makes another");
  proxy.silence();
  redis.process.kill("SIGCONT");
  await until(() => here.publishes(), "it publishes again");
});

test("redis: closing while a connection is silent leaves nothing behind", async () => {
  await using redis = await startRedis();
  await using proxy = movingProxy(redis.url);
  await using here = setUp(proxy.url, "theirs", { timeoutMs: 300 });
  await here.engine.createTask({ id: "t" });
  await here.broadcast.subscribe({ taskId: "t" }, () => {});
  proxy.silence();
  const unanswered = here.shortTerm.getTask("t");
  await here.engine.close();
  await here.shortTerm.close();
  await here.broadcast.close();
  await assert.rejects(unanswered, { code: "STORE_UNAVAILABLE" });
});

test("redis: what a frozen one still carries out is no more than may wait", async () => {
  await using redis = await startRedis();
  await using here = setUp(redis.url, "theirs", { maxPending: 50, timeoutMs: 100, partitions: 2 });
  await here.engine.createTask({ id: "t" });
  const { length } = (await here.shortTerm.getTask("t"))!;
  redis.process.kill("SIGSTOP");
  for (let round = 0; round < 10; round++) {
    const answers = await Promise.all(Array.from({ length: 50 }, () => here.publishes()));
    assert(!answers.includes(true));
  }
  redis.process.kill("SIGCONT");
  await until(() => here.publishes(), "it publishes again");
  const stored = (await here.shortTerm.getTask("t"))!.length - length;
  assert(stored <= 51, `${stored} events were stored`);
});

for (const policy of ["allkeys-lru", "allkeys-random", "volatile-lru", "noeviction"]) {
  const isRefused = policy.startsWith("allkeys");
  const what = isRefused ? "refused" : "fine";
  test(`redis: with a bound of memory the policy ${policy} is ${what}`, async () => {
    await using redis = await startRedis({ args: ["--maxmemory-policy", policy] });
    {
      await using here = setUp(redis.url, "ours");
      // Nothing is evicted without a memory limit.
      assert.equal(await here.shortTerm.check(), undefined);
    }
    const admin = new Redis(redis.port);
    await admin.config("SET", "maxmemory", "100mb");
    await using here = setUp(redis.url, "ours");
    if (!isRefused) assert.equal(await here.shortTerm.check(), undefined);
    else {
      const report = await here.shortTerm.check();
      assert.equal(report?.status, "unavailable");
      assert.match(report.message, /set maxmemory-policy to noeviction/);
      await admin.config("SET", "maxmemory-policy", "noeviction");
      assert.equal(await here.shortTerm.check(), undefined);
    }
    admin.disconnect();
  });
}

test("redis: a policy that becomes an evicting one at runtime is reported", async () => {
  await using redis = await startRedis();
  await using here = setUp(redis.url, "ours");
  const admin = new Redis(redis.port);
  assert.equal(await here.shortTerm.check(), undefined);
  await admin.config("SET", "maxmemory", "100mb");
  await admin.config("SET", "maxmemory-policy", "allkeys-lru");
  const report = await here.shortTerm.check();
  assert.equal(report?.status, "degraded", "what is there is served");
  assert.match(report.message, /"allkeys-lru".*set maxmemory-policy to noeviction/);
  await admin.config("SET", "maxmemory-policy", "noeviction");
  assert.equal(await here.shortTerm.check(), undefined);
  admin.disconnect();
});

test("redis: a user that may not ask about memory is accepted", async () => {
  await using redis = await startRedis();
  const admin = new Redis(redis.port);
  await admin.call("ACL", "SETUSER", "shy", "on", ">secret", "~*", "&*", "+@all", "-info");
  const url = redis.url.replace("//", "//shy:secret@");
  await using here = setUp(url, "ours");
  await here.shortTerm.check();
  await here.engine.createTask({ id: "t" });
  admin.disconnect();
});

test("redis: a full one is well, since reading and deleting go on", async () => {
  await using redis = await startRedis();
  const admin = new Redis(redis.port);
  await using here = setUp(redis.url, "ours");
  await here.engine.createTask({ id: "t" });
  await here.shortTerm.check();
  await admin.config("SET", "maxmemory", "1");
  await assert.rejects(here.engine.publishEvent("t", { type: "n", data: 1 }), {
    code: "STORE_FULL",
  });
  await here.shortTerm.check();
  admin.disconnect();
});
