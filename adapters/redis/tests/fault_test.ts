import assert from "node:assert/strict";
import type { AddressInfo, Socket } from "node:net";
import { connect, createServer } from "node:net";
import { Redis } from "ioredis";
import type { EngineStats } from "@taskcast/core";
import type { ShortTermStore } from "@taskcast/core/adapter";
import { TaskEngine } from "@taskcast/core";
import { TaskcastError } from "@taskcast/core/protocol";
import { cuttingProxy } from "../../../testing/network/cutting_proxy.ts";
import { startRedis } from "../../../testing/databases/redis_server.ts";
import { redisProgram } from "../../../testing/databases/redis_server.ts";
import { until } from "../../../testing/sse/sse.ts";
import type { RedisAdapterOptions, RedisAdapters } from "../mod.ts";
import { createRedisAdapters } from "../mod.ts";

// Tests tasks and readers while Redis is slow, frozen, killed, emptied or full.

const hasRedis = await redisProgram() !== undefined;
const test = hasRedis ? Deno.test : () => {}; // `conformance_test.ts` reports the skip.

interface SetUp extends RedisAdapters {
  engine: TaskEngine;
  errors: unknown[];
  [Symbol.asyncDispose](): Promise<void>;
}

function setUp(url: string, options?: RedisAdapterOptions): SetUp {
  const { broadcast, shortTerm } = createRedisAdapters(url, options);
  const errors: unknown[] = [];
  const engine = new TaskEngine({
    broadcast,
    shortTermStore: shortTerm,
    options: { pollMs: 200, storeRetryMs: 20 },
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

async function isUnavailable(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return false;
  } catch (error) {
    assert(error instanceof TaskcastError, String(error));
    assert.equal(error.code, "STORE_UNAVAILABLE", error.message);
    return true;
  }
}

async function dataOf(store: ShortTermStore, taskId: string): Promise<unknown[]> {
  const page = await store.readLog(taskId, { after: -1, limit: 1_000_000 });
  assert(page !== undefined);
  assert.deepEqual(page.events.map(({ index }) => index), page.events.map((_, i) => i));
  return page.events.map(({ data }) => JSON.parse(data));
}

test("redis: kill -9 with the append-only file loses nothing that was acknowledged", async () => {
  const folder = await Deno.makeTempDir();
  const args = ["--appendonly", "yes", "--appendfsync", "always"];
  let redis = await startRedis({ folder, args });
  const { port } = redis;
  {
    await using here = setUp(redis.url, { timeoutMs: 1_000 });
    await here.engine.createTask({ id: "t" });
    const seen: unknown[] = [];
    const reading = (async () => {
      for await (const message of here.engine.subscribe("t", { filter: { types: ["n"] } })) {
        if (message.kind === "event") seen.push(message.event.data);
      }
    })();
    const acknowledged: number[] = [];
    let next = 0;
    let stop = false;
    const publishing = Array.from({ length: 4 }, async () => {
      while (!stop) {
        const data = next++;
        if (!await isUnavailable(here.engine.publishEvent("t", { type: "n", data }))) {
          acknowledged.push(data);
        } else await new Promise((resolve) => setTimeout(resolve, 5));
      }
    });
    for (let round = 0; round < 3; round++) {
      const goal = acknowledged.length + 200;
      await until(() => acknowledged.length >= goal, "events are acknowledged");
      await redis.kill();
      assert(await isUnavailable(here.engine.getTask("t")), "a dead Redis is told, and soon");
      redis = await startRedis({ folder, args, port });
    }
    const goal = acknowledged.length + 200;
    await until(() => acknowledged.length >= goal, "it goes on by itself");
    stop = true;
    await Promise.all(publishing);
    await here.engine.transitionTask("t", "completed");
    await reading;
    const stored = (await dataOf(here.shortTerm, "t")).slice(0, -1) as number[];
    assert.equal(new Set(stored).size, stored.length, "nothing is doubled");
    for (const data of acknowledged) assert(stored.includes(data), `${data} is there`);
    assert.deepEqual(seen, stored, "the reader stayed, and got everything once");
  }
  await redis.kill();
  await Deno.remove(folder, { recursive: true });
});

test("redis: a frozen one fails requests in time, and they are carried out at most once", async () => {
  await using redis = await startRedis();
  await using here = setUp(redis.url, { timeoutMs: 200 });
  await here.engine.createTask({ id: "t" });
  const seen: number[] = [];
  const reading = (async () => {
    for await (const message of here.engine.subscribe("t")) {
      if (message.kind === "event") seen.push(message.event.index);
    }
  })();
  await until(() => here.engine.stats.streams === 1, "the reader is there");
  redis.process.kill("SIGSTOP");
  const results = await Promise.all(
    Array.from(
      { length: 10 },
      (_, data) => isUnavailable(here.engine.publishEvent("t", { type: "n", data })),
    ),
  );
  assert.deepEqual(results, results.map(() => true));
  assert.equal((await here.engine.check()).shortTermStore?.ok, false);
  redis.process.kill("SIGCONT");
  await until(async () => (await here.engine.check()).shortTermStore!.ok, "Redis is back");
  await here.engine.publishEvent("t", { type: "n", data: "after" });
  await here.engine.transitionTask("t", "completed");
  await reading;
  const stored = await dataOf(here.shortTerm, "t");
  assert.equal(new Set(stored).size, stored.length);
  assert.deepEqual(seen, stored.map((_, i) => i));
});

test("redis: commits whose connection breaks are executed at most once, with any client", async () => {
  await using redis = await startRedis();
  // Breaks at any point: in requests, in replies, and in between.
  let length = 1_500;
  await using proxy = cuttingProxy(redis.url, () => length += 137);
  const port = Number(new URL(proxy.url).port);
  // With default options, the client resends unanswered commands after a break.
  const clients = [1, 2, 3].map(() => {
    const client = new Redis(port, { retryStrategy: () => 1 });
    client.on("error", () => {});
    return client;
  });
  const [pub, sub, store] = clients as [Redis, Redis, Redis];
  const { broadcast, shortTerm } = createRedisAdapters(pub, sub, store);
  const engine = new TaskEngine({ broadcast, shortTermStore: shortTerm });
  const again = async <T>(work: () => Promise<T>): Promise<T> => {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof TaskcastError)) throw error;
        if (error.code !== "STORE_UNAVAILABLE") throw error;
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    }
  };
  await again(() =>
    engine.createTask({ id: "t" }).catch((error) => {
      if ((error as TaskcastError).code !== "TASK_EXISTS") throw error;
    })
  );
  const acknowledged: number[] = [];
  for (let data = 0; data < 1_000; data += 5) {
    await Promise.all(Array.from({ length: 5 }, async (_, i) => {
      if (!await isUnavailable(engine.publishEvent("t", { type: "n", data: data + i }))) {
        acknowledged.push(data + i);
      }
    }));
  }
  length = Infinity;
  const stored = await again(() => dataOf(shortTerm, "t")) as number[];
  assert.equal(new Set(stored).size, stored.length, "nothing is doubled");
  for (const data of acknowledged) assert(stored.includes(data), `${data} is there`);
  assert(proxy.cuts > 20, `${proxy.cuts} connections were broken`);
  assert(acknowledged.length < 1_000, "some were not acknowledged");
  await engine.close();
  await shortTerm.close();
  await broadcast.close();
  for (const client of clients) client.disconnect();
});

test("redis: a commit that a client sends again is carried out once, though the scripts are forgotten", async () => {
  await using redis = await startRedis();
  const own = new Redis(redis.url);
  // Loses the reply to one request, and the scripts; then the connection breaks.
  let isLosing = false;
  const sockets = new Set<Socket>();
  const proxy = createServer((socket) => {
    const server = connect(redis.port, "127.0.0.1");
    sockets.add(socket.on("error", () => {}).on("close", () => server.destroy()));
    server.on("error", () => {}).on("close", () => socket.destroy());
    socket.on("data", (bytes) => server.write(bytes));
    server.on("data", (bytes) => {
      if (!isLosing) return void socket.write(bytes);
      isLosing = false;
      void own.script("FLUSH").then(() => sockets.forEach((each) => each.destroy()));
    });
  });
  await new Promise<void>((done) => proxy.listen(0, "127.0.0.1", done));
  const { port } = proxy.address() as AddressInfo;
  const clients = [1, 2, 3].map(() => new Redis(port, { retryStrategy: () => 1 }));
  for (const client of clients) client.on("error", () => {});
  const [pub, sub, store] = clients as [Redis, Redis, Redis];
  const { broadcast, shortTerm } = createRedisAdapters(pub, sub, store);
  const engine = new TaskEngine({
    broadcast,
    shortTermStore: shortTerm,
    options: { sweepMs: 0, pollMs: 60_000 },
  });
  await engine.createTask({ id: "t" });
  await engine.publishEvent("t", { type: "n", data: 0 });
  isLosing = true;
  const isUnsure = await isUnavailable(engine.publishEvent("t", { type: "n", data: 1 }));
  assert.deepEqual(await dataOf(shortTerm, "t"), [0, 1]);
  assert(isUnsure, "nobody knows any more that it was carried out");
  await engine.publishEvent("t", { type: "n", data: 2 });
  assert.deepEqual(await dataOf(shortTerm, "t"), [0, 1, 2]);
  await engine.close();
  await shortTerm.close();
  await broadcast.close();
  for (const client of [...clients, own]) client.disconnect();
  proxy.close();
});

test("redis: data that was lost is noticed, and never looks like an empty log", async () => {
  await using redis = await startRedis();
  await using here = setUp(redis.url);
  await here.engine.createTask({ id: "t" });
  await here.engine.publishEvent("t", { type: "n", data: 1 });
  const endings: unknown[] = [];
  const reading = (async () => {
    for await (const message of here.engine.subscribe("t")) {
      if (message.kind === "done") endings.push(message.reason);
    }
  })();
  await until(() => here.engine.stats.streams === 1, "the reader is there");
  const admin = new Redis(redis.port);
  await admin.flushall();
  await until(async () => (await here.engine.check()).shortTermStore?.ok === false, "noticed");
  for (
    const work of [
      () => here.engine.getTask("t"),
      () => here.engine.getEvents("t"),
      () => here.engine.createTask({ id: "t" }),
      () => here.engine.publishEvent("t", { type: "n", data: 2 }),
      () => here.engine.listTasks(),
    ]
  ) assert(await isUnavailable(work()));
  assert(here.errors.some((error) => String(error).includes("lost or replaced")));
  assert.deepEqual(endings, [], "readers are not told that the task is over");
  {
    await using anew = setUp(redis.url);
    await anew.engine.createTask({ id: "t" });
    // A new generation: the running instance does not mistake it for the old one.
    assert(await isUnavailable(here.engine.getTask("t")));
  }
  await here.engine.close();
  await reading;
  admin.disconnect();
});

test("redis: a full server refuses whole commits with STORE_FULL, and still deletes", async () => {
  await using redis = await startRedis({
    args: ["--maxmemory", "4mb", "--maxmemory-policy", "noeviction"],
  });
  await using here = setUp(redis.url);
  await here.engine.createTask({ id: "t" });
  const events = Array.from({ length: 10 }, (_, i) => ({
    type: "n",
    data: { delta: `${i}`.repeat(5_000) },
    seriesId: `s${i}`,
    seriesMode: "accumulate" as const,
  }));
  let batches = 0;
  await assert.rejects(async () => {
    for (;; batches++) await here.engine.publishEvents("t", events);
  }, { code: "STORE_FULL" });
  assert.equal((await dataOf(here.shortTerm, "t")).length, 10 * batches);
  await here.engine.deleteTask("t");
  await here.engine.createTask({ id: "t" });
});

test("redis: another number of partitions is refused", async () => {
  await using redis = await startRedis();
  {
    await using here = setUp(redis.url, { partitions: 4 });
    await here.engine.createTask({ id: "t" });
  }
  await using other = setUp(redis.url, { partitions: 8 });
  await assert.rejects(other.engine.getTask("t"), /has 4 partitions, and 8 are configured/);
});

test("redis: too many waiting requests are refused, not collected", async () => {
  await using redis = await startRedis();
  // Few partitions, since the engine sweeps each, and that must not wait here.
  await using here = setUp(redis.url, { maxPending: 50, timeoutMs: 500, partitions: 2 });
  await here.engine.createTask({ id: "t" });
  redis.process.kill("SIGSTOP");
  const reads = Array.from({ length: 200 }, () => here.shortTerm.getTask("t"));
  const results = await Promise.allSettled(reads);
  const refused = results.filter((result) =>
    result.status === "rejected" && /50 requests are already waiting/.test(result.reason.message)
  );
  assert.equal(refused.length, 150);
  redis.process.kill("SIGCONT");
});

test("redis: a publish is one command, and so is a batch; nothing is read before", async () => {
  await using redis = await startRedis();
  await using here = setUp(redis.url);
  await here.engine.createTask({ id: "t" });
  await here.engine.publishEvent("t", { type: "n", data: 0 });
  await here.engine.getTask("t"); // The first use of a script sends its source.
  const admin = new Redis(redis.port);
  const monitor = await admin.monitor();
  const seen: string[] = [];
  monitor.on("monitor", (_time: string, args: string[], source: string) => {
    // Commands called by the script are no round trips; `sweepMs` keeps sweeps out.
    if (source !== "lua" && args.includes("t")) seen.push(args[0]!.toLowerCase());
  });
  const counted = async (work: () => Promise<unknown>) => {
    seen.length = 0;
    await work();
    await admin.call("ECHO", "t");
    await until(() => seen.includes("echo"), "the monitor has seen all");
    return seen.filter((command) => command !== "echo");
  };
  const delta = { delta: "x" };
  const event = { type: "n", data: delta, seriesId: "s", seriesMode: "accumulate" as const };
  assert.deepEqual(await counted(() => here.engine.publishEvent("t", event)), ["evalsha"]);
  const batch = Array.from({ length: 100 }, () => event);
  assert.deepEqual(await counted(() => here.engine.publishEvents("t", batch)), ["evalsha"]);
  assert.deepEqual(await counted(() => here.engine.getTask("t")), ["evalsha"]);
  const { commits }: EngineStats = here.engine.stats;
  assert.equal(commits, 4);
  monitor.disconnect();
  admin.disconnect();
});

test("redis: scripts that the server forgot are loaded again", async () => {
  await using redis = await startRedis();
  await using here = setUp(redis.url);
  await here.engine.createTask({ id: "t" });
  const admin = new Redis(redis.port);
  for (let round = 0; round < 3; round++) {
    await admin.script("FLUSH");
    await Promise.all(
      Array.from({ length: 20 }, (_, i) => here.engine.publishEvent("t", { type: "n", data: i })),
    );
  }
  assert.equal((await dataOf(here.shortTerm, "t")).length, 60);
  admin.disconnect();
});

test("redis: task data has no expiry of its own", async () => {
  await using redis = await startRedis();
  await using here = setUp(redis.url);
  await here.engine.createTask({ id: "t", tags: ["a"], ttl: 100 });
  await here.engine.publishEvent("t", {
    type: "n",
    data: { delta: "x" },
    seriesId: "s",
    seriesMode: "accumulate",
    producerId: "p",
    producerSeq: 0,
  });
  const admin = new Redis(redis.port);
  const keys = await admin.keys("*");
  const expiring = [];
  for (const key of keys) if (await admin.ttl(key) !== -1) expiring.push(key);
  assert(keys.length > 10);
  assert(expiring.every((key) => key.includes(":session:")), expiring.join());
  await here.engine.deleteTask("t");
  const left = (await admin.keys("*")).filter((key) => !/:(life|partitions|session:.*)$/.test(key));
  assert.deepEqual(left, [], "a deleted task leaves nothing");
  admin.disconnect();
});
