import assert from "node:assert/strict";
import { fakeClock } from "../../testing/fake_clock.ts";
import type { Commit } from "../contracts/short_term_store.ts";
import { MemoryBroadcastProvider } from "../memory/broadcast.ts";
import { MemoryShortTermStore } from "../memory/short_term_store.ts";
import { TaskcastError } from "../protocol/errors.ts";
import type { QueueName } from "./set_aside.ts";
import type { TaskEngineOptions } from "../engine/options.ts";
import { TaskEngine } from "../engine/engine.ts";

// Queues with many tasks, some of which fail permanently.

const HOUR_MS = 3_600_000;
const BROKEN = new TaskcastError("INTERNAL", "this cannot be stored");
const isBroken = (taskId: unknown) => String(taskId).startsWith("broken");

/** A store whose `method` fails for tasks named broken, as long as the test demands. */
function setUp(method: keyof MemoryShortTermStore, more: Partial<TaskEngineOptions> = {}) {
  const clock = fakeClock();
  const store = new MemoryShortTermStore();
  const world = { isBroken: false, attempts: 0, error: BROKEN };
  const errors: [unknown, string | undefined][] = [];
  const shortTermStore = new Proxy(store, {
    get(target, name) {
      const original = Reflect.get(target, name, target);
      if (typeof original !== "function") return original;
      return async (...args: unknown[]) => {
        const [first] = args;
        const taskId = method === "commit" ? (first as Commit | undefined)?.taskId : first;
        if (name === method && world.isBroken && isBroken(taskId)) {
          world.attempts++;
          throw world.error;
        }
        return await original.apply(target, args);
      };
    },
  });
  const engine = new TaskEngine({
    clock,
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore,
    hooks: { onUnhandledError: (error, { taskId }) => void errors.push([error, taskId]) },
    ...more,
  });
  const assertSetAside = (queue: QueueName, ids: readonly string[]) => {
    const { count, tasks } = engine.setAside({ limit: 500 })[queue]!;
    assert.equal(count, ids.length);
    assert.deepEqual(tasks.map(({ taskId }) => taskId).toSorted(), ids.toSorted());
  };
  return { clock, store, world, errors, engine, assertSetAside };
}

/** Creates some broken tasks, then one that works. */
function idsOf(broken: number): { broken: string[]; ids: string[] } {
  const names = Array.from({ length: broken }, (_, i) => `broken${i}`);
  return { broken: names, ids: [...names, "whole"] };
}

Deno.test("due work: tasks whose commits always fail delay no others, however many there are", async () => {
  const { clock, world, errors, engine, assertSetAside } = setUp("commit", {
    options: { sweepLimit: 10 },
  });
  await using _engine = engine;
  const { ids, broken } = idsOf(35);
  for (const id of ids) await engine.createTask({ id, ttl: 10 });
  world.isBroken = true;
  await clock.pass(20_000);
  assert.equal((await engine.getTask("whole"))?.status, "timeout");
  assertSetAside("due", broken);
  assert(errors.every(([error, taskId]) => error === BROKEN && isBroken(taskId)));
  world.attempts = 0;
  await clock.pass(HOUR_MS);
  assert(world.attempts < 35 * 15, `${world.attempts} attempts`);
  await engine.createTask({ id: "later", ttl: 10 });
  await clock.pass(10_000);
  assert.equal((await engine.getTask("later"))?.status, "timeout");
  assert.equal(engine.stats.dueLagMs, 0);
  world.isBroken = false;
  await clock.pass(600_000);
  for (const id of ids) assert.equal((await engine.getTask(id))?.status, "timeout");
  assertSetAside("due", []);
});

Deno.test("clean-up: tasks that cannot be deleted delay no others, however many come first", async () => {
  const { clock, store, world, engine, assertSetAside } = setUp("deleteTask", {
    cleanup: { rules: [{ trigger: { afterMs: 1_000 }, target: "all" }] },
  });
  await using _engine = engine;
  const { ids, broken } = idsOf(20);
  world.isBroken = true;
  for (const id of ids) {
    await engine.createTask({ id });
    await engine.transitionTask(id, "completed");
    await clock.pass(1);
  }
  await clock.pass(15_000);
  assert.equal(await store.getTask("whole"), undefined);
  assertSetAside("cleanup", broken);
  world.attempts = 0;
  await clock.pass(HOUR_MS);
  assert(world.attempts < 20 * 15, `${world.attempts} attempts`);
  world.isBroken = false;
  await clock.pass(620_000);
  assert.deepEqual((await store.listTasks({ limit: 99 })).tasks, []);
  assertSetAside("cleanup", []);
});

Deno.test("clean-up: a search that cannot read one task continues with the others", async () => {
  const { clock, store, world, engine } = setUp("readLog", {
    cleanup: { rules: [{ trigger: { afterMs: 1_000 }, target: "events" }] },
    options: { cleanupSearchMs: 60_000 },
  });
  for (const id of ["whole", "broken"]) {
    await engine.createTask({ id });
    await engine.publishEvents(id, [1, 2].map((data) => ({ type: "n", data })));
    await engine.transitionTask(id, "completed");
    await store.schedule(id, "clean", undefined, (await store.getTask(id))!.record);
  }
  world.isBroken = true;
  await clock.pass(130_000);
  assert.equal((await store.readLog("whole", { after: -1, limit: 9 }))?.events.length, 1);
  await engine.close();
});

Deno.test("webhooks: a task whose notes cannot be written delays no others, and is retried at growing intervals", async () => {
  const sent: string[] = [];
  const { clock, world, engine, assertSetAside } = setUp("writeNote", {
    webhooks: {
      sender: {
        refusal: () => undefined,
        send: async ({ body }) => {
          sent.push((JSON.parse(body) as { taskId: string }).taskId);
          return await Promise.resolve({ status: 200 });
        },
      },
    },
  });
  await using _engine = engine;
  world.isBroken = true;
  const { ids, broken } = idsOf(10);
  for (const id of ids) {
    await engine.createTask({ id, webhooks: [{ url: "https://example.test/" }] });
    await engine.publishEvent(id, { type: "n", data: 1 });
  }
  await clock.pass(5_000);
  assert.equal(sent.filter((id) => id === "whole").length, 1);
  assertSetAside("webhooks", broken);
  world.attempts = 0;
  await clock.pass(HOUR_MS);
  assert(world.attempts < 10 * 15, `${world.attempts} attempts`);
  world.isBroken = false;
  await clock.pass(620_000);
  assertSetAside("webhooks", []);
});

Deno.test("work that fails with everything else is not set aside: the store is reported and retried soon", async () => {
  const { clock, store, world, errors, engine, assertSetAside } = setUp("commit");
  await using _engine = engine;
  await engine.createTask({ id: "broken", ttl: 1 });
  world.isBroken = true;
  store.check = () => Promise.reject(new Error("away"));
  await clock.pass(10_000);
  assertSetAside("due", []);
  assert(errors.length > 5);
  world.isBroken = false;
  await clock.pass(1_000);
  assert.equal((await engine.getTask("broken"))?.status, "timeout");
});

Deno.test("the memory for tasks that are set aside is bounded", async () => {
  const { clock, world, engine } = setUp("commit");
  await using _engine = engine;
  for (let i = 0; i < 1_200; i++) await engine.createTask({ id: `broken${i}`, ttl: 1 });
  world.isBroken = true;
  await clock.pass(30_000);
  assert.equal(engine.setAside().due?.count, 1_000);
  assert.equal(engine.setAside().due?.tasks.length, 20);
});

Deno.test("a task whose store cannot be reached is not set aside, and is retried within seconds", async () => {
  const { clock, world, engine } = setUp("commit");
  await using _engine = engine;
  for (const id of ["broken", "whole"]) await engine.createTask({ id, ttl: 10 });
  world.error = new TaskcastError("STORE_UNAVAILABLE", "the connection broke");
  world.isBroken = true;
  await clock.pass(HOUR_MS);
  assert.equal((await engine.getTask("whole"))?.status, "timeout");
  world.isBroken = false;
  await clock.pass(5_000);
  assert.equal((await engine.getTask("broken"))?.status, "timeout");
});
