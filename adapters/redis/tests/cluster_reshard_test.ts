import assert from "node:assert/strict";
import { Cluster } from "ioredis";
import { TaskEngine } from "@taskcast/core";
import { TaskcastError } from "@taskcast/core/protocol";
import type { RedisCluster } from "../../../testing/databases/redis_cluster.ts";
import { startRedisCluster } from "../../../testing/databases/redis_cluster.ts";
import { redisProgram } from "../../../testing/databases/redis_server.ts";
import { until } from "../../../testing/sse/sse.ts";
import { createRedisAdapters } from "../mod.ts";
import { slotOf } from "../connection/slot.ts";

// Tests moving slots and joining and leaving nodes while instances publish, read and start.

const hasRedis = await redisProgram() !== undefined;
const test = hasRedis ? Deno.test : () => {}; // `conformance_test.ts` reports the skip.

const PARTITIONS = 6;
const TASKS = 60;
const PREFIX = "reshard:";

function startInstance(cluster: RedisCluster, sharded: boolean) {
  const connect = () => {
    const client = new Cluster(cluster.nodes.map(({ port }) => ({ host: "127.0.0.1", port })), {
      shardedSubscribers: sharded,
    });
    client.on("error", () => {});
    return client;
  };
  const clients = [connect(), connect(), connect()] as const;
  const { shortTerm, broadcast } = createRedisAdapters(...clients, {
    partitions: PARTITIONS,
    prefix: PREFIX,
    shardedPubSub: sharded,
    timeoutMs: 10_000,
  });
  const engine = new TaskEngine({
    broadcast,
    shortTermStore: shortTerm,
    hooks: { onUnhandledError() {} },
  });
  return {
    engine,
    shortTerm,
    broadcast,
    async [Symbol.asyncDispose]() {
      await engine.close();
      await shortTerm.close();
      await broadcast.close();
      for (const client of clients) client.disconnect();
    },
  };
}

type Instance = ReturnType<typeof startInstance>;

/** Publishes to tasks one after another until stopped, and records the outcome of each event. */
class Publisher {
  readonly acknowledged = new Map<string, number[]>();
  readonly refused: unknown[] = [];
  #next = 0;
  #stops = false;
  readonly #done: Promise<void>;

  constructor(engine: TaskEngine, name: number) {
    this.#done = this.#run(engine, name);
  }

  get count(): number {
    return this.#next;
  }

  async #run(engine: TaskEngine, name: number): Promise<void> {
    while (!this.#stops) {
      const id = `t${(this.#next * 7 + name) % TASKS}`;
      const data = name * 1_000_000 + this.#next++;
      try {
        await engine.publishEvent(id, { type: "n", data });
        const known = this.acknowledged.get(id);
        if (known === undefined) this.acknowledged.set(id, [data]);
        else known.push(data);
      } catch (error) {
        this.refused.push(error);
        if (error instanceof TaskcastError && error.code === "ENGINE_CLOSED") return;
      }
    }
  }

  async stop(): Promise<void> {
    this.#stops = true;
    await this.#done;
  }
}

/** Waits until each instance receives wake-ups of each task. */
async function hearsAll(heard: Map<Instance, Set<string>>, engine: TaskEngine): Promise<void> {
  for (const ids of heard.values()) ids.clear();
  await until(async () => {
    const silent = new Set(
      [...heard.values()].flatMap((ids) =>
        Array.from({ length: TASKS }, (_, i) => `t${i}`).filter((id) => !ids.has(id))
      ),
    );
    for (const id of silent) await engine.publishEvent(id, { type: "wake", data: 1 });
    return silent.size === 0;
  }, "all instances hear of all tasks");
}

for (const sharded of [false, true]) {
  const title = "redis cluster: slots are moved, nodes come and go, and instances start under load";
  test(`${title}${sharded ? ", sharded wake-ups" : ""}`, async () => {
    await using cluster = await startRedisCluster(2);
    await using stack = new AsyncDisposableStack();
    const slots = Array.from({ length: PARTITIONS }, (_, i) => slotOf(`${PREFIX}{p${i}}`));
    const move = async (
      slot: number,
      to: RedisCluster["nodes"][number],
      whileHalf: () => unknown = () => {},
    ) => {
      const moving = await cluster.beginMove(slot, to);
      const from = await cluster.ownerOf(slot);
      const keys = await from.admin.call(
        "CLUSTER",
        "GETKEYSINSLOT",
        `${slot}`,
        "10000",
      ) as string[];
      await moving.move(keys.slice(0, keys.length / 2));
      await whileHalf();
      await moving.move();
      await moving.finish();
    };
    const leaving = await cluster.add();
    for (const slot of slots.slice(0, 3)) await move(slot, leaving);
    const instances: Instance[] = [];
    const start = () => {
      const instance = stack.use(startInstance(cluster, sharded));
      instances.push(instance);
      return instance;
    };
    const first = start();
    for (let i = 0; i < TASKS; i++) await first.engine.createTask({ id: `t${i}` });
    const heard = new Map<Instance, Set<string>>();
    for (const instance of [first, start(), start(), start()]) {
      const ids = new Set<string>();
      heard.set(instance, ids);
      for (let i = 0; i < TASKS; i++) {
        await instance.broadcast.subscribe({ taskId: `t${i}` }, ({ taskId }) => ids.add(taskId));
      }
    }
    await hearsAll(heard, first.engine);
    const read = new Map<string, unknown[]>();
    const reading = Array.from({ length: TASKS }, async (_, i) => {
      const seen: unknown[] = [];
      read.set(`t${i}`, seen);
      for await (const message of first.engine.subscribe(`t${i}`, { filter: { types: ["n"] } })) {
        if (message.kind === "event") seen.push(message.event.data);
      }
    });
    const publishers = Array.from({ length: 8 }, (_, i) => new Publisher(first.engine, i));
    const goesOn = async (why: string) => {
      const before = publishers.map(({ count }) => count);
      await until(() => publishers.every(({ count }, i) => count > before[i]! + 20), why);
    };
    await goesOn("before anything is moved");
    const added = await cluster.add();
    for (const slot of slots) {
      await move(slot, added, async () => {
        if (instances.length > 5) return;
        const { engine } = start();
        publishers.push(new Publisher(engine, 10 + instances.length));
        await engine.check();
      });
    }
    await goesOn("all is on the new node");
    await cluster.cli("del-node", `127.0.0.1:${added.port}`, leaving.id);
    await goesOn("a node is gone");

    await Promise.all(publishers.map((publisher) => publisher.stop()));
    for (const { engine } of instances) {
      assert.equal((await engine.check()).shortTermStore!.degraded, undefined);
    }
    await hearsAll(heard, first.engine);
    for (let i = 0; i < TASKS; i++) await first.engine.transitionTask(`t${i}`, "completed");
    await Promise.all(reading);
    for (let i = 0; i < TASKS; i++) {
      const page = await first.shortTerm.readLog(`t${i}`, { after: -1, limit: 1_000_000 });
      const stored = page!.events.filter(({ type }) => type === "n").map(({ data }) =>
        JSON.parse(data)
      );
      assert.deepEqual(read.get(`t${i}`), stored, "the reader got everything once");
      assert.equal(new Set(stored).size, stored.length, "nothing is doubled");
      const all = new Set(stored);
      for (const publisher of publishers) {
        for (const data of publisher.acknowledged.get(`t${i}`) ?? []) {
          assert(all.has(data), `${data}`);
        }
      }
    }
    assert.deepEqual(publishers.flatMap(({ refused }) => refused), [], "nothing was refused");
  });
}
