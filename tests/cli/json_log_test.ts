import assert from "node:assert/strict";
import { startCli } from "../../testing/servers/cli.ts";
import { redisUrl } from "../../testing/databases/redis_server.ts";

const url = await redisUrl();

Deno.test({
  name: "start: a log of JSON holds nothing else, though libraries write to the console",
  ignore: url === undefined,
}, async () => {
  // The Redis client warns about a password that is not needed.
  const withPassword = url!.replace("//", "//:needless@");
  const env = { TASKCAST_LOG_FORMAT: "json", TASKCAST_REDIS_URL: withPassword };
  const server = await startCli(["--host", "127.0.0.1"], env);
  server.process.kill("SIGTERM");
  await server.process.ended;
  const lines = server.process.err.trim().split("\n").map((line) => JSON.parse(line));
  const remark = lines.find(({ msg }) => /does not require a password/.test(msg));
  assert.equal(remark?.level, "warn");
  assert(!server.process.err.includes("needless"));
});
