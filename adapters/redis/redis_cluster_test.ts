import assert from "node:assert/strict";
import { Cluster, Redis } from "ioredis";
import { testBroadcast, testShortTermStore } from "@taskcast/core/conformance";
import type { RedisServer } from "../../tests/support/redis_server.ts";
import { redisProgram, startRedis } from "../../tests/support/redis_server.ts";
import { until } from "../../tests/support/sse.ts";
import { createRedisAdapters } from "./mod.ts";

// The same promises on a real cluster of three nodes, with wake-ups to all nodes and to one shard.

const SLOTS = 16_384;

async function startCluster(folder: string): Promise<RedisServer[]> {
  const nodes = await Promise.all([0, 1, 2].map(async (i) => {
    await Deno.mkdir(`${folder}/${i}`);
    return await startRedis({ folder: `${folder}/${i}`, args: ["--cluster-enabled", "yes"] });
  }));
  const admins = nodes.map(({ port }) => new Redis(port));
  for (const [i, admin] of admins.entries()) {
    const [from, to] = [i, i + 1].map((n) => Math.floor(n * SLOTS / 3)) as [number, number];
    await admin.call("CLUSTER", "ADDSLOTSRANGE", `${from}`, `${to - 1}`);
    if (i > 0) await admin.call("CLUSTER", "MEET", "127.0.0.1", `${nodes[0]!.port}`);
  }
  for (const admin of admins) {
    const isWhole = async () => {
      const info = await admin.call("CLUSTER", "INFO") as string;
      return info.includes("cluster_state:ok") && info.includes("cluster_known_nodes:3");
    };
    await until(isWhole, "the cluster is whole");
    admin.disconnect();
  }
  return nodes;
}

if (await redisProgram() !== undefined) {
  const folder = await Deno.makeTempDir({ prefix: "taskcast-cluster-" });
  const nodes = await startCluster(folder);
  for (const { process } of nodes) process.unref();
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
