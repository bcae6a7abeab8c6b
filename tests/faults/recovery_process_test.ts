import assert from "node:assert/strict";
import { startCli } from "../../testing/servers/cli.ts";
import { leftOut } from "../../testing/left_out.ts";
import { redisProgram, startRedis } from "../../testing/databases/redis_server.ts";
import { until } from "../../testing/sse/sse.ts";

// A real server whose Redis goes away and comes back.

const hasRedis = await redisProgram() !== undefined;
if (!hasRedis) leftOut("the test of recovery", "redis-server");

(hasRedis ? Deno.test : () => {})(
  "the log says once that a store is back",
  async () => {
    const folder = await Deno.makeTempDir({ prefix: "taskcast-recovery-" });
    // If it synced only once per second, it could lose acknowledged data, and even the mark by
    // which its data is recognized. A server rightly refuses a Redis that comes back without that
    // mark.
    const args = ["--appendonly", "yes", "--appendfsync", "always"];
    let redis = await startRedis({ folder, args });
    try {
      await using server = await startCli(["--host", "127.0.0.1"], {
        TASKCAST_REDIS_URL: redis.url,
      });
      const recoveryLines = () =>
        server.process.err.match(/info +the short-term store answers again/g)?.length ?? 0;
      await redis.kill();
      const isAway = async () => {
        const response = await fetch(`${server.url}/health/ready`);
        await response.body?.cancel();
        return response.status === 503;
      };
      await until(isAway, "it is away");
      assert.equal(recoveryLines(), 0);
      redis = await startRedis({ folder, port: redis.port, args });
      await until(() => recoveryLines() > 0, "the return of Redis is logged");
      await until(async () => !await isAway(), "it is back");
      assert.equal(recoveryLines(), 1);
      assert.match(server.process.err, /answers again, after \d+(\.\d)? s\n/);
      assert.match(server.process.err, /error .*Redis/);
    } finally {
      await redis.kill();
      await Deno.remove(folder, { recursive: true });
    }
  },
);
