import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { Redis } from "ioredis";
import { TaskEngine } from "@taskcast/core";
import { redisProgram, startRedis } from "../../../testing/databases/redis_server.ts";
import { createRedisAdapters } from "../mod.ts";

const hasRedis = await redisProgram() !== undefined;
const test = hasRedis ? Deno.test : () => {}; // `conformance_test.ts` reports the skip.

test("redis: changes stay in order where a server knows only some of the scripts, or none any more", async () => {
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
  // Calls of one turn go in several groups, and more calls arrive while those are sent again.
  let expected = 11;
  for (let round = 0; round < 5; round++) {
    await admin.script("FLUSH");
    const events: Promise<{ index: number }>[] = [];
    for (let turn = 0; turn < 20; turn++) {
      for (let i = 0; i < 20; i++) {
        events.push(engine.publishEvent("t", i % 3 === 0 ? inSeries : plain));
      }
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    const indexes = (await Promise.all(events)).map(({ index }) => index);
    assert.deepEqual(indexes, indexes.map((_, i) => expected + i));
    expected += indexes.length;
  }
  admin.disconnect();
  await engine.close();
  await shortTermStore.close();
  await broadcast.close();
});
