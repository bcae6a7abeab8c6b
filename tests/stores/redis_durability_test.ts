import assert from "node:assert/strict";
import { leftOut } from "../../testing/left_out.ts";
import { redisProgram, startRedis } from "../../testing/databases/redis_server.ts";
import { warnOfVolatileRedis } from "../../cli/server/redis_durability.ts";

const hasRedis = await redisProgram() !== undefined;
if (!hasRedis) leftOut("the tests of what Redis keeps", "redis-server");
const test = hasRedis ? Deno.test : () => {};

async function warningsOf(url: string, provider = "redis"): Promise<string[]> {
  const lines: string[] = [];
  await warnOfVolatileRedis({ provider, url }, {
    warn: (line) => lines.push(`warn ${line}`),
    debug: (line) => lines.push(`debug ${line}`),
  });
  return lines;
}

test("a Redis without an append-only file causes a warning, and no other store does", async () => {
  await using redis = await startRedis();
  const [line, ...more] = await warningsOf(redis.url);
  assert.match(line!, /^warn Redis has appendonly no: /);
  assert.deepEqual(more, []);
  assert.deepEqual(await warningsOf(redis.url, "postgres"), []);
  await using durable = await startRedis({ args: ["--appendonly", "yes"] });
  assert.deepEqual(await warningsOf(durable.url), []);
});

test("a Redis that hides its configuration causes no warning", async () => {
  const user = ["--user", "careful", "on", ">of-the-dog", "~*", "&*", "+@all", "-config"];
  await using redis = await startRedis({ args: user });
  const url = redis.url.replace("//", "//careful:of-the-dog@");
  const debug = ["debug Redis does not tell whether it has appendonly yes"];
  assert.deepEqual(await warningsOf(url), debug);
  assert.deepEqual(await warningsOf("redis://127.0.0.1:1"), debug);
});
