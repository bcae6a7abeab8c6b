import assert from "node:assert/strict";
import { Cluster, Redis } from "ioredis";
import { testBroadcast, testShortTermStore } from "@taskcast/core/conformance";
import { startRedisCluster } from "../../../testing/databases/redis_cluster.ts";
import { redisProgram } from "../../../testing/databases/redis_server.ts";
import { createRedisAdapters } from "../mod.ts";

// Runs conformance on a real cluster of three nodes, with wake-ups to all nodes and to one shard.

if (await redisProgram() !== undefined) {
  const { nodes, folder } = await startRedisCluster(3);
  for (const { process, admin } of nodes) {
    process.unref();
    admin.disconnect();
  }
  globalThis.addEventListener("unload", () => {
    for (const { process } of nodes) process.kill("SIGKILL");
    Deno.removeSync(folder, { recursive: true });
  });

  const connect = (sharded: boolean) =>
    new Cluster(nodes.map(({ port }) => ({ host: "127.0.0.1", port })), {
      shardedSubscribers: sharded,
    });
  const open = (prefix: string, sharded: boolean) => {
    const clients = [connect(sharded), connect(sharded), connect(sharded)] as const;
    const adapters = createRedisAdapters(...clients, { prefix, shardedPubSub: sharded });
    const close = async () => {
      await adapters.broadcast.close();
      await adapters.shortTerm.close();
      for (const client of clients) client.disconnect();
    };
    return { ...adapters, close };
  };

  testShortTermStore({
    name: "redis cluster",
    open: () => {
      const { shortTerm, close } = open(`test:${crypto.randomUUID()}:`, false);
      const release = shortTerm.close.bind(shortTerm);
      shortTerm.close = async () => {
        await release();
        shortTerm.close = release;
        await close();
      };
      return shortTerm;
    },
    test: Deno.test,
  });
  for (const sharded of [false, true]) {
    testBroadcast({
      name: sharded ? "redis cluster, sharded wake-ups" : "redis cluster, wake-ups",
      open() {
        const prefix = `test:${crypto.randomUUID()}:`;
        const [here, there] = [open(prefix, sharded), open(prefix, sharded)];
        return {
          publisher: here.broadcast,
          subscriber: there.broadcast,
          async close() {
            await here.close();
            await there.close();
          },
        };
      },
      test: Deno.test,
    });
  }

  Deno.test("redis cluster: tasks are spread over the nodes", async () => {
    const { shortTerm, close } = open("spread:", false);
    for (let i = 0; i < 60; i++) await shortTerm.getTask(`t${i}`);
    const sizes = await Promise.all(nodes.map(async ({ port }) => {
      const admin = new Redis(port);
      const keys = await admin.keys("spread:*:life");
      admin.disconnect();
      return keys.length;
    }));
    assert(sizes.every((size) => size >= 4), sizes.join());
    await close();
  });
}
