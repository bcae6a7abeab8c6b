import assert from "node:assert/strict";
import { Cluster } from "ioredis";
import type { ShortTermStore } from "@taskcast/core/adapter";
import type { Task } from "@taskcast/core/protocol";
import { TaskcastError } from "@taskcast/core/protocol";
import type { RedisCluster } from "../../../testing/databases/redis_cluster.ts";
import { startRedisCluster } from "../../../testing/databases/redis_cluster.ts";
import { redisProgram } from "../../../testing/databases/redis_server.ts";
import {
  append,
  commitOf,
  create,
  draft,
  INCARNATION,
  NOW,
} from "../../../testing/databases/store_steps.ts";
import { until } from "../../../testing/sse/sse.ts";
import type { SCRIPTS } from "../_generated_scripts.ts";
import { createRedisAdapters } from "../mod.ts";
import { slotOf } from "../connection/slot.ts";

// Tests a slot that is moved key by key: operations on half of it must fail.

const hasRedis = await redisProgram() !== undefined;
const test = hasRedis ? Deno.test : () => {}; // `conformance_test.ts` reports the skip.

const LEASE = "1.aaaaaaaaaaaaaaaa";

type Operation = (store: ShortTermStore) => Promise<unknown>;

/** One operation per task script, each of which finds something in the data of `fill`. */
const OPERATIONS: Record<
  Exclude<keyof typeof SCRIPTS, "echo" | "rights" | "accept_loss" | "find_generation">,
  Operation
> = {
  archived: (store) =>
    store.archived("t", { incarnation: INCARNATION, version: 1, length: 1 }, { againAtMs: NOW }),
  check: (store) => store.check(),
  claim: (store) => store.claim("archive", { nowMs: NOW + 1, untilMs: NOW + 2, limit: 5 }),
  commit: (store) =>
    commitOf(store, {
      taskId: "t",
      expect: "live",
      events: [draft("x", { seriesId: "s", accField: "delta" })],
    }),
  count_matches: (store) => store.countMatches("t", { types: ["step"] }, [3]),
  delete_task: (store) => store.deleteTask("t"),
  due: (store) => store.due(NOW, 5),
  get_task: (store) => store.getTask("t"),
  list_tasks: (store) => store.listTasks({ limit: 5 }),
  renew: (store) => store.leases!.renew([{ taskId: "t", lease: LEASE, untilMs: NOW + 5 }]),
  schedule: (store) => store.schedule("t", "clean", NOW, { incarnation: INCARNATION }),
  scheduled: (store) => store.scheduled("archive", { limit: 5 }),
  publish: (store) => commitOf(store, { taskId: "t", expect: "live", events: [draft("x")] }),
  read_log: (store) => store.readLog("t", { after: -1, limit: 100 }),
  read_notes: (store) => store.readNotes("t", INCARNATION),
  read_folds: (store) => store.readFolds("t", { after: -1, limit: 9 }),
  trim_log: (store) => store.trimLog("t", INCARNATION, { indexes: [0, 1], series: [] }),
  write_note: (store) => store.writeNote("t", INCARNATION, "n", { from: "1", to: "2" }),
};

const READS = ["count_matches", "get_task", "list_tasks", "read_log", "read_notes", "read_folds"];

/** Creates a task with keys of every kind, and another task. */
async function fill(store: ShortTermStore): Promise<void> {
  await create(store, "other", { tags: ["a"] });
  const task: Task = {
    id: "t",
    status: "running",
    type: "job",
    tags: ["a"],
    createdAt: NOW,
    updatedAt: NOW,
  };
  const leased = { task, incarnation: INCARNATION, version: 1, lease: LEASE };
  const due = { lease: NOW + 1 };
  assert((await commitOf(store, { taskId: "t", expect: "absent", record: leased, due })).ok);
  const inSeries = { seriesId: "s", seriesMode: "accumulate", accField: "delta" } as const;
  const texts = (delta: string) => draft({ delta }, { ...inSeries, delta });
  const events = Array.from({ length: 300 }, (_, i) => draft(i));
  await append(store, "t", ...events, draft({ large: "x".repeat(70_000) }), texts("a"), texts("b"));
  await append(store, "t", draft("sent", { producer: { id: "p", epoch: 1, seq: 0 } }));
  await store.writeNote("t", INCARNATION, "n", { from: undefined, to: "1" });
  await store.schedule("t", "archive", NOW, { incarnation: INCARNATION });
}

function open(cluster: RedisCluster, timeoutMs: number) {
  const connect = () => {
    const client = new Cluster(cluster.nodes.map(({ port }) => ({ host: "127.0.0.1", port })));
    client.on("error", () => {});
    return client;
  };
  const clients = [connect(), connect(), connect()] as const;
  const { shortTerm, broadcast } = createRedisAdapters(...clients, {
    partitions: 1,
    prefix: "move:",
    timeoutMs,
  });
  return {
    store: shortTerm,
    async [Symbol.asyncDispose]() {
      await shortTerm.close();
      await broadcast.close();
      for (const client of clients) client.disconnect();
    },
  };
}

async function isRefused(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return false;
  } catch (error) {
    assert(error instanceof TaskcastError && error.code === "STORE_UNAVAILABLE", String(error));
    return true;
  }
}

/** Returns everything that can be read from a store. */
async function contentsOf(store: ShortTermStore): Promise<unknown> {
  const read = async (name: string) => [name, await OPERATIONS[name as "get_task"](store)];
  return Object.fromEntries(await Promise.all(READS.map(read)));
}

test("redis cluster: nothing is read or changed while a slot is half moved, in any order of its keys", async () => {
  await using cluster = await startRedisCluster(2);
  const slot = slotOf("move:{p0}");
  await using here = open(cluster, 10_000);
  await fill(here.store);
  const before = await contentsOf(here.store);
  const source = await cluster.ownerOf(slot);
  assert.equal(await source.admin.call("CLUSTER", "KEYSLOT", "move:{p0}"), slot);
  const keys = (await source.admin.keys("move:*")).sort();
  assert(keys.length > 20, keys.join(" "));

  const ofTask = (key: string) => key.includes(":t") ? 0 : 1;
  const orders = {
    "its word first": keys.toSorted((a, b) =>
      Number(b.endsWith(":life")) - Number(a.endsWith(":life"))
    ),
    "its word last": keys.toSorted((a, b) =>
      Number(a.endsWith(":life")) - Number(b.endsWith(":life"))
    ),
    "keys of a task first": keys.toSorted((a, b) => ofTask(a) - ofTask(b)),
    "keys of a task last": keys.toSorted((a, b) => ofTask(b) - ofTask(a)),
  };
  for (const [name, order] of Object.entries(orders)) {
    const from = await cluster.ownerOf(slot);
    const to = cluster.nodes.find((node) => node !== from)!;
    const move = await cluster.beginMove(slot, to);
    await using old = open(cluster, 200);
    let moved = 0;
    for (const through of [0, 1, 3, Math.floor(keys.length / 2), keys.length - 1, keys.length]) {
      await move.move(order.slice(moved, through));
      moved = through;
      // An instance that starts now, while keys are on both nodes.
      const isSplit = through === 1 || through === keys.length - 1;
      await using started = isSplit ? open(cluster, 200) : undefined;
      for (const { store } of started === undefined ? [old] : [old, started]) {
        const isTold = async () => {
          const report = await store.check().catch(() => undefined); // It may still be connecting.
          return report?.status === "unavailable";
        };
        await until(isTold, "health tells of it");
        const operations = Object.entries(OPERATIONS).filter(([script]) => script !== "check");
        const refusals = await Promise.all(
          operations.map(([_script, operation]) => isRefused(operation(store))),
        );
        assert(!refusals.includes(false), `${name}, ${through} keys: ${refusals}`);
      }
      const all = await Promise.all([from, to].map(({ admin }) => admin.keys("move:*")));
      assert.deepEqual(
        all.flat().sort(),
        keys,
        `${name}, ${through} keys: none is new, none doubled`,
      );
    }
    const waiting = contentsOf(here.store);
    await move.finish();
    assert.deepEqual(await waiting, before, `${name}: who waits is answered`);
    const isWell = () => old.store.check().then((report) => report === undefined, () => false);
    await until(isWell, "the others go on by themselves");
    assert.deepEqual(await contentsOf(old.store), before, name);
  }
  for (const [script, operation] of Object.entries(OPERATIONS)) {
    if (script !== "delete_task") assert(!await isRefused(operation(here.store)), script);
  }
  await OPERATIONS.delete_task(here.store);
  assert.deepEqual((await here.store.listTasks({ limit: 5 })).tasks.map(({ task }) => task.id), [
    "other",
  ]);
});
