import assert from "node:assert/strict";
import { Redis } from "ioredis";
import { TaskEngine } from "@taskcast/core";
import { redisProgram, startRedis } from "../../tests/support/redis_server.ts";
import { createRedisAdapters } from "./mod.ts";

const hasRedis = await redisProgram() !== undefined;
const test = hasRedis ? Deno.test : () => {}; // `redis_test.ts` says that it is left out.

test("redis: changes of one turn stay in order where a server knows only some of the scripts", async () => {
  await using server = await startRedis();
  const admin = new Redis(server.port);
  const { broadcast, shortTerm: shortTermStore } = createRedisAdapters(server.url);
  const engine = new TaskEngine({ broadcast, shortTermStore, options: { sweepMs: 0 } });
  const plain = { type: "n", data: 0 };
  const inSeries = { ...plain, seriesId: "s", seriesMode: "latest" } as const;
  const publish = async () => {
    const inputs = [plain, inSeries, plain];
    const events = await Promise.all(inputs.map((input) => engine.publishEvent("t", input)));
    return events.map(({ index }) => index);
  };
  await engine.createTask({ id: "t" });
  assert.deepEqual(await publish(), [0, 1, 2]);
  await admin.script("FLUSH");
  await engine.publishEvent("t", plain);
  assert.deepEqual(await publish(), [4, 5, 6]);
  await admin.script("FLUSH");
  await engine.publishEvent("t", inSeries);
  assert.deepEqual(await publish(), [8, 9, 10]);
  admin.disconnect();
  await engine.close();
  await shortTermStore.close();
  await broadcast.close();
});
