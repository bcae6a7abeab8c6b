import assert from "node:assert/strict";
import { Cluster, Redis } from "ioredis";
import { TaskEngine } from "@taskcast/core";
import { freePorts } from "../../../testing/network/free_port.ts";
import type { MovingProxy } from "../../../testing/network/moving_proxy.ts";
import { movingProxy } from "../../../testing/network/moving_proxy.ts";
import { redisProgram, startRedis } from "../../../testing/databases/redis_server.ts";
import { until } from "../../../testing/sse/sse.ts";
import { createRedisAdapters } from "../mod.ts";

// Tests a cluster of two nodes whose connections fall silent.

const SLOTS = 16_384;
const hasRedis = await redisProgram() !== undefined;
const test = hasRedis ? Deno.test : () => {}; // `conformance_test.ts` reports the skip.

interface SetUp extends AsyncDisposable {
  /** One in front of each node. */
  proxies: MovingProxy[];
  engine: TaskEngine;
  adapters: ReturnType<typeof createRedisAdapters>;
  publishes(taskId: string): Promise<boolean>;
}

async function setUp(): Promise<SetUp> {
  await using stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "taskcast-cluster-" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const proxies: MovingProxy[] = [];
  const admins: Redis[] = [];
  for (const i of [0, 1]) {
    const proxy = stack.use(movingProxy("redis://127.0.0.1:1")); // Reserves a port.
    proxies.push(proxy);
    const [port, bus] = freePorts(2) as [number, number];
    proxy.moveTo(`redis://127.0.0.1:${port}`);
    await Deno.mkdir(`${folder}/${i}`);
    const announced = new URL(proxy.url).port;
    const args = ["--cluster-enabled", "yes", "--cluster-announce-port", announced];
    args.push("--cluster-port", `${bus}`, "--cluster-announce-bus-port", `${bus}`);
    stack.use(await startRedis({ folder: `${folder}/${i}`, port, args }));
    admins.push(new Redis(port));
    const from = i * SLOTS / 2;
    await admins[i]!.call("CLUSTER", "ADDSLOTSRANGE", `${from}`, `${from + SLOTS / 2 - 1}`);
    if (i === 1) await admins[0]!.call("CLUSTER", "MEET", "127.0.0.1", `${port}`, `${bus}`);
  }
  for (const admin of admins) {
    const isWhole = async () => {
      const info = await admin.call("CLUSTER", "INFO") as string;
      return info.includes("cluster_state:ok") && info.includes("cluster_known_nodes:2");
    };
    await until(isWhole, "the cluster is whole");
    admin.disconnect();
  }
  const clients = [1, 2, 3].map(() => {
    const client = new Cluster(proxies.map(({ url }) => url));
    client.on("error", () => {});
    stack.defer(() => client.disconnect());
    return client;
  });
  const [pub, sub, store] = clients as [Cluster, Cluster, Cluster];
  const adapters = createRedisAdapters(pub, sub, store, { timeoutMs: 300, partitions: 8 });
  const engine = new TaskEngine({
    broadcast: adapters.broadcast,
    shortTermStore: adapters.shortTerm,
    hooks: { onUnhandledError() {} },
  });
  stack.defer(() => adapters.broadcast.close());
  stack.defer(() => adapters.shortTerm.close());
  stack.defer(() => engine.close());
  const owned = stack.move();
  return {
    proxies,
    engine,
    adapters,
    async publishes(taskId) {
      try {
        await engine.publishEvent(taskId, { type: "n", data: 1 });
        return true;
      } catch {
        return false;
      }
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

test("redis cluster: a node with a silent connection is connected again, and the others stay", async () => {
  await using here = await setUp();
  const ids = Array.from({ length: 20 }, (_, i) => `t${i}`);
  for (const id of ids) await here.engine.createTask({ id });
  here.proxies[0]!.silence();
  const answers = await Promise.all(ids.map((id) => here.publishes(id)));
  const reached = ids.filter((_, i) => answers[i]);
  assert(reached.length > 0 && reached.length < ids.length, `${reached.length} were reached`);
  await until(async () => {
    for (const id of reached) assert(await here.publishes(id), "the other node is not disturbed");
    return !(await Promise.all(ids.map((id) => here.publishes(id)))).includes(false);
  }, "all are reached again");
});

test("redis cluster: wake-ups continue after their connection fell silent", async () => {
  await using here = await setUp();
  let heard = 0;
  await here.adapters.broadcast.subscribe({ taskId: "t" }, () => heard++);
  const signal = { taskId: "t", from: 0, length: 1 };
  const hears = async () => {
    try {
      await here.adapters.broadcast.publish(signal);
    } catch {
      // The publishing connection is silent, too.
    }
    return heard > 0;
  };
  await until(hears, "it hears");
  for (const proxy of here.proxies) proxy.silence();
  heard = 0;
  await until(hears, "it hears again");
});
