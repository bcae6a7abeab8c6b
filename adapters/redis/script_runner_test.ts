import { TaskcastError } from "@taskcast/core/protocol";
import assert from "node:assert/strict";
import type { RedisClient } from "./client.ts";
import type { Connection } from "./connection.ts";
import { Partitions } from "./partitions.ts";
import { ScriptRunner } from "./script_runner.ts";

const MAX_PENDING = 3;

Deno.test("a call counts as pending once, whatever its script is answered with", async () => {
  let lastReply: unknown = [1, "life"];
  const client = {
    status: "ready",
    isCluster: false,
    call: (command: string) => Promise.resolve(command === "GET" ? "1" : "OK"),
    pipeline() {
      let calls = 0;
      const pipeline = {
        evalsha: () => calls++,
        exec: () =>
          Promise.resolve(
            Array.from({ length: calls }, (_, i) => [null, i < calls - 1 ? [1, "l"] : lastReply]),
          ),
      };
      return pipeline;
    },
  } as unknown as RedisClient;
  const connection = {
    answer: <T>(reply: Promise<T>) => reply,
    heed: () => false,
    close() {},
  } as unknown as Connection;
  const partitions = new Partitions({ prefix: "x", count: 1 });
  const options = { connection, timeoutMs: 10_000, maxPending: MAX_PENDING };
  const runner = new ScriptRunner(client, partitions, options);
  const run = () => runner.run(partitions.bases[0]!, "check", []);
  const letThrough = async (calls: number) => {
    const settled = await Promise.allSettled(Array.from({ length: calls }, run));
    return settled.filter(({ status }) => status === "fulfilled").length;
  };
  await run();
  assert.equal(await letThrough(10), MAX_PENDING);
  lastReply = null;
  for (let i = 0; i < 5; i++) assert.equal(await letThrough(MAX_PENDING), MAX_PENDING - 1);
  await assert.rejects(
    run(),
    (error) => error instanceof TaskcastError && error.code === "STORE_UNAVAILABLE",
  );
  lastReply = [1, "life"];
  assert.equal(await letThrough(10), MAX_PENDING, "the bound is what it was");
  runner.close();
});
