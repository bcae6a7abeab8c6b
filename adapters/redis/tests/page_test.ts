import assert from "node:assert/strict";
import { Redis } from "ioredis";
import { TaskEngine } from "@taskcast/core";
import { redisProgram, startRedis } from "../../../testing/databases/redis_server.ts";
import { createRedisAdapters } from "../mod.ts";

// Tests changes between the two requests for a page of many events.

// `conformance_test.ts` reports the skip.
const test = await redisProgram() === undefined ? () => {} : Deno.test;

/** Opens clients; that of the store does something before the second request for a page. */
async function openTricked(
  trick: (exec: () => ReturnType<ReturnType<Redis["pipeline"]>["exec"]>) => ReturnType<typeof exec>,
) {
  const redis = await startRedis();
  const connect = () => new Redis(redis.url);
  const [pub, sub, client] = [connect(), connect(), connect()];
  const { broadcast, shortTerm } = createRedisAdapters(pub, sub, client);
  const engine = new TaskEngine({ broadcast, shortTermStore: shortTerm, options: { sweepMs: 0 } });
  return {
    engine,
    shortTerm,
    trickOnce(): void {
      const pipeline = client.pipeline.bind(client);
      client.pipeline = () => {
        const made = pipeline();
        const exec = made.exec.bind(made);
        const call = made.call.bind(made);
        const tricked = () => {
          client.pipeline = pipeline;
          return trick(exec);
        };
        return Object.assign(made, {
          call(command: string, ...args: string[]) {
            made.exec = tricked;
            return call(command, ...args);
          },
        });
      };
    },
    async [Symbol.asyncDispose]() {
      await engine.close();
      await broadcast.close();
      await shortTerm.close();
      for (const one of [pub, sub, client]) one.disconnect();
      await redis[Symbol.asyncDispose]();
    },
  };
}

async function publishHundred(engine: TaskEngine, data: string): Promise<void> {
  await engine.createTask({ id: "t" });
  await engine.publishEvents("t", Array.from({ length: 100 }, () => ({ type: "n", data })));
}

test("redis: a page is of one incarnation even if another begins while it is read", async () => {
  await using tricked = await openTricked(async (exec) => {
    await engine.deleteTask("t");
    await publishHundred(engine, "second");
    return await exec();
  });
  const { engine, shortTerm, trickOnce } = tricked;
  await publishHundred(engine, "first");
  trickOnce();
  const page = await shortTerm.readLog("t", { after: -1, limit: 100 });
  assert.deepEqual([...new Set(page?.events.map(({ data }) => data))], ['"first"']);
  assert.equal(page?.scannedTo, page!.events.length - 1);
  const next = await shortTerm.readLog("t", { after: page!.scannedTo, limit: 100 });
  assert.notEqual(next?.incarnation, page?.incarnation);
});

test("redis: a page has no gap even if its second part comes from a lagging replica", async () => {
  await using tricked = await openTricked(async (exec) => {
    const [[, entries], ...others] = (await exec())! as [[null, unknown[]], [null, unknown]];
    return [[null, entries.slice(0, 30)], ...others];
  });
  const { engine, shortTerm, trickOnce } = tricked;
  await publishHundred(engine, "data");
  trickOnce();
  const page = (await shortTerm.readLog("t", { after: -1, limit: 100 }))!;
  assert.equal(page.scannedTo, page.events.length - 1);
  const next = await shortTerm.readLog("t", { after: page.scannedTo, limit: 100 });
  assert.equal(page.events.length + next!.events.length, 100);
});
