import assert from "node:assert/strict";
import { Redis } from "ioredis";
import { redisProgram, startRedis } from "../../../testing/databases/redis_server.ts";
import type { RedisPipeline } from "../connection/client.ts";
import type { Answer } from "../scripting/free_pipeline.ts";
import { freePipeline } from "../scripting/free_pipeline.ts";

// `conformance_test.ts` reports the skip.
const test = await redisProgram() === undefined ? () => {} : Deno.test;

test("redis: nothing keeps what a pipeline of ioredis was asked and answered", async () => {
  await using server = await startRedis();
  const client = new Redis(server.url);
  const pipeline = client.pipeline();
  pipeline.call("SET", "key", "value");
  pipeline.call("GET", "key");
  assert.equal(pipeline.length, 2);
  const answers = await pipeline.exec() as Answer[];
  assert.deepEqual(freePipeline(pipeline, answers), [[null, "OK"], [null, "value"]]);
  assert.equal(pipeline.length, 0);
  // The pipeline's own promise resolves to this array.
  assert.deepEqual(answers, []);
  client.disconnect();
});

Deno.test("redis: a client without pending calls, or without answers, is dropped unchanged", () => {
  const pipeline = { exec: () => Promise.resolve(null) } as unknown as RedisPipeline;
  assert.deepEqual(freePipeline(pipeline, [[null, 1]]), [[null, 1]]);
  assert.deepEqual(freePipeline(pipeline, null), []);
});
