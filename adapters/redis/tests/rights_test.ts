import assert from "node:assert/strict";
import { Redis } from "ioredis";
import { testBroadcast, testShortTermStore } from "@taskcast/core/conformance";
import type { RedisServer } from "../../../testing/databases/redis_server.ts";
import { redisProgram, redisUrl, startRedis } from "../../../testing/databases/redis_server.ts";
import { until } from "../../../testing/sse/sse.ts";
import { SCRIPTS } from "../_generated_scripts.ts";
import type { RedisAdapters } from "../mod.ts";
import { createRedisAdapters } from "../mod.ts";
import { COMMANDS } from "../rights.ts";

// Tests that the user of docs/reference/storage/redis.md has exactly the rights that are needed.

const hasRedis = await redisProgram() !== undefined;
const test = hasRedis ? Deno.test : () => {}; // `conformance_test.ts` reports the skip.

/** The documented rights, with the password and the prefix of keys and channels. */
const RIGHTS = await documentedRights();

async function documentedRights(): Promise<string[]> {
  const docs = await Deno.readTextFile(
    new URL("../../../docs/reference/storage/redis.md", import.meta.url),
  );
  const [, words] = /^ACL SETUSER taskcast ([^`]+)/m.exec(docs)!;
  return words!.trim().split(/\s+/);
}

/** Returns the address for the documented user, changed as given. */
async function userUrl(url: string, { without, prefix }: { without?: string; prefix?: string }) {
  const admin = new Redis(url);
  const rights = RIGHTS.filter((right) => right !== without);
  assert.equal(RIGHTS.length - rights.length, without === undefined ? 0 : 1, without);
  const own = rights.map((right) => right.replace("taskcast:", prefix ?? "taskcast:"));
  const name = `taskcast-${crypto.randomUUID().slice(0, 8)}`;
  await admin.call("ACL", "SETUSER", name, "reset", ...own);
  admin.disconnect();
  return url.replace("//", `//${name}:password@`);
}

const close = async ({ broadcast, shortTerm }: RedisAdapters) => {
  await broadcast.close();
  await shortTerm.close();
};

const url = hasRedis ? (await redisUrl())! : "";
const own = `rights:${crypto.randomUUID().slice(0, 8)}:`;
const limited = hasRedis ? await userUrl(url, { prefix: own }) : "";

/** Opens adapters of the documented user with a prefix of their own. */
const open = (prefix = `${own}${crypto.randomUUID()}:`) => createRedisAdapters(limited, { prefix });

testShortTermStore({
  name: "redis, a user with the documented rights",
  open() {
    const adapters = open();
    const release = adapters.shortTerm.close.bind(adapters.shortTerm);
    adapters.shortTerm.close = async () => {
      await adapters.broadcast.close();
      await release();
    };
    return adapters.shortTerm;
  },
  test,
});

testBroadcast({
  name: "redis broadcast, a user with the documented rights",
  open() {
    const prefix = `${own}${crypto.randomUUID()}:`;
    const [here, there] = [open(prefix), open(prefix)];
    return {
      publisher: here.broadcast,
      subscriber: there.broadcast,
      async close() {
        await close(here);
        await close(there);
      },
    };
  },
  test,
});

/** Runs operations for a user that lacks a right; nothing may be stored in part. */
async function attempt(redis: RedisServer, without: string): Promise<string> {
  const adapters = createRedisAdapters(await userUrl(redis.url, { without }), { partitions: 2 });
  try {
    const [report, created] = await Promise.allSettled([
      adapters.shortTerm.check(),
      adapters.shortTerm.deleteTask("t"),
    ]);
    assert.equal(created.status, "rejected", `nothing is changed without ${without}`);
    return report.status === "fulfilled" ? report.value?.message ?? "" : String(report.reason);
  } finally {
    await close(adapters);
  }
}

test("redis: each right that is missing is named before anything is changed", async () => {
  await using redis = await startRedis();
  const admin = new Redis(redis.url);
  const isOptional = /^\+(script|info|client|ping|select|.?publish|.?(un)?subscribe)/;
  const needed = RIGHTS.filter((right) => right.startsWith("+") && !isOptional.test(right));
  assert.deepEqual(
    needed.map((right) => right.slice(1).split("|")[0]!.toUpperCase()).sort(),
    COMMANDS.map((command) => command.split(" ")[0]).sort(),
  );
  for (const right of needed) {
    const name = right.split("|")[0]!;
    const message = await attempt(redis, right);
    assert(message.includes(name), `${right}: ${message}`);
    assert.match(message, /its user may not run .* on keys that begin with "taskcast:"/);
  }
  assert.match(await attempt(redis, "~taskcast:*"), /~taskcast:\*/);
  const keys = await admin.keys("*");
  assert.deepEqual(keys.filter((key) => key !== "taskcast:{p0}:partitions"), []);
  admin.disconnect();
});

test("redis: what may be missing is not asked for", async () => {
  await using redis = await startRedis();
  for (const without of ["+script|load", "+client|info", "+select", "+ping"]) {
    const adapters = createRedisAdapters(await userUrl(redis.url, { without }));
    assert.equal(await adapters.shortTerm.check(), undefined, without);
    assert.equal(await adapters.broadcast.check(), undefined, without);
    await close(adapters);
  }
});

test("redis: rights that are taken away stop everything until they are given again", async () => {
  await using redis = await startRedis();
  const admin = new Redis(redis.url);
  await admin.call("ACL", "SETUSER", "app", "on", ">pw", "~*", "&*", "+@all");
  const adapters = createRedisAdapters(redis.url.replace("//", "//app:pw@"));
  assert.equal(await adapters.shortTerm.deleteTask("t"), false);
  await admin.call("ACL", "SETUSER", "app", "-hmget");
  const denied = { code: "STORE_UNAVAILABLE", message: /its user may not run/ };
  await assert.rejects(adapters.shortTerm.deleteTask("t"), denied);
  await admin.config("RESETSTAT");
  await assert.rejects(adapters.shortTerm.deleteTask("t"), { message: /may not run hmget/ });
  const { evalsha } = await commandsOf(admin);
  assert.equal(evalsha, undefined, "no script that changes anything is sent");
  const report = await adapters.shortTerm.check();
  assert.equal(report?.status, "unavailable");
  assert.match(report.message, /\+hmget/);
  await admin.call("ACL", "SETUSER", "app", "+hmget");
  assert.equal(await adapters.shortTerm.deleteTask("t"), false);
  await close(adapters);
  admin.disconnect();
});

test("redis: rights are asked for once for each connection, and again on the next", async () => {
  await using redis = await startRedis();
  const admin = new Redis(redis.url);
  const adapters = createRedisAdapters(redis.url);
  const evals = async () => (await commandsOf(admin)).eval ?? 0;
  for (let i = 0; i < 5; i++) await adapters.shortTerm.getTask("t");
  const first = await evals();
  for (let i = 0; i < 50; i++) await adapters.shortTerm.getTask(`t${i}`);
  assert.equal(await evals(), first);
  await admin.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
  const works = () => adapters.shortTerm.getTask("t").then(() => true, () => false);
  await until(works, "it is connected again");
  assert.equal(await evals(), first + 1);
  await close(adapters);
  admin.disconnect();
});

test("redis: rights are checked for exactly the commands of the scripts", async () => {
  await using redis = await startRedis();
  const admin = new Redis(redis.url);
  const all = new Set(
    (await admin.call("COMMAND", "LIST") as string[]).map((name) => name.toUpperCase()),
  );
  const used = new Set(
    Object.entries(SCRIPTS).filter(([name]) => name !== "rights").flatMap(([, lua]) =>
      [...lua.matchAll(/'([A-Z]+)'/g)].map(([, word]) => word!).filter((word) => all.has(word))
    ),
  );
  const asked = new Set(COMMANDS.map((command) => command.split(" ")[0]!));
  for (const name of ["EVAL", "EVALSHA"]) used.add(name);
  assert.deepEqual([...used].sort(), [...asked].sort());
  admin.disconnect();
});

/** Returns how often each command ran. */
async function commandsOf(admin: Redis): Promise<Record<string, number>> {
  const stats = await admin.info("commandstats");
  return Object.fromEntries(
    [...stats.matchAll(/cmdstat_(\S+?):calls=(\d+)/g)].map((
      [, name, calls],
    ) => [name, Number(calls)]),
  );
}
