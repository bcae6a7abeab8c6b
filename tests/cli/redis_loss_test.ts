import assert from "node:assert/strict";
import { Redis } from "ioredis";
import { runCli, startCli } from "../../testing/servers/cli.ts";
import { redisProgram, startRedis } from "../../testing/databases/redis_server.ts";
import { until } from "../../testing/sse/sse.ts";

// `taskcast redis accept-loss` against servers whose Redis lost everything.

const hasRedis = await redisProgram() !== undefined;
const test = hasRedis ? Deno.test : () => {}; // `conformance_test.ts` reports that it is skipped.

async function call(url: string, path: string, body?: unknown) {
  const init = body === undefined ? {} : {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  };
  const response = await fetch(url + path, init);
  return { status: response.status, text: await response.text() };
}

test("redis accept-loss: servers report the loss, and continue when it is accepted", async () => {
  await using redis = await startRedis();
  const env = { TASKCAST_REDIS_URL: redis.url };
  await using one = await startCli([], env);
  await using other = await startCli([], env);
  assert.equal((await call(one.url, "/tasks", { id: "t" })).status, 201);
  assert.equal((await call(other.url, "/tasks/t")).status, 200);
  const admin = new Redis(redis.port);
  await admin.flushall();
  admin.disconnect();

  const words = new Set<string>();
  for (const { url } of [one, other]) {
    const refused = await call(url, "/tasks", { id: "t" });
    assert.equal(refused.status, 503);
    assert.match(refused.text, /taskcast redis accept-loss [0-9a-f]{8}/);
    await until(async () => (await call(url, "/health/ready")).status === 503, "it is not ready");
    const ready = (await call(url, "/health/ready")).text;
    words.add(/taskcast redis accept-loss ([0-9a-f]{8})/.exec(ready)![1]!);
  }
  assert.equal(words.size, 1, "all servers name the same word");
  const word = [...words][0]!;

  const accept = (...args: string[]) => runCli(["redis", "accept-loss", ...args], env);
  const misspelt = await accept("all");
  assert.equal(misspelt.code, 1);
  assert.match(misspelt.err, /^error: accept-loss needs the words that errors name/);
  assert.equal((await call(one.url, "/tasks", { id: "t" })).status, 503);

  const accepted = await accept(word);
  assert.deepEqual(accepted, {
    code: 0,
    out: "",
    err:
      `Accepted: the data ${word} is lost in 32 partitions. Servers that name it go on with what ` +
      "is there within a second; others are not changed\n",
  });
  for (const { url } of [one, other]) {
    const isWell = async () => {
      const { status, text } = await call(url, "/health/ready");
      return status === 200 && !text.includes("accept-loss"); // Partitions are checked one by one.
    };
    await until(isWell, "it is ready");
  }
  assert.equal((await call(one.url, "/tasks", { id: "t" })).status, 201);
  assert.equal((await call(other.url, "/tasks/t")).status, 200);
});

Deno.test("redis accept-loss: needs Redis, and creates no other store", async () => {
  const folder = await Deno.makeTempDir();
  for (const args of [[], ["--storage", "sqlite"]]) {
    const { code, err } = await runCli(["redis", "accept-loss", "0123abcd", ...args], {}, folder);
    assert.deepEqual([code, err], [
      1,
      "error: accept-loss needs tasks that are kept in Redis: name it with --redis-url or -c\n",
    ]);
  }
  assert.deepEqual([...Deno.readDirSync(folder)], []);
  await Deno.remove(folder);
});
