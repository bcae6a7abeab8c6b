import assert from "node:assert/strict";
import { fakeClock } from "../../testing/fake_clock.ts";
import type { BroadcastProvider } from "../contracts/broadcast.ts";
import type { ShortTermStore } from "../contracts/short_term_store.ts";
import { delayReads, lossyBroadcast } from "../conformance/mod.ts";
import { MemoryBroadcastProvider } from "../memory/broadcast.ts";
import { MemoryShortTermStore } from "../memory/short_term_store.ts";
import type { TaskEngineOptions } from "../engine/options.ts";
import { TaskEngine } from "../engine/engine.ts";

function setUp(options: Partial<TaskEngineOptions> = {}) {
  const clock = fakeClock();
  const shared: { broadcast: BroadcastProvider; shortTermStore: ShortTermStore } = {
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
  };
  const open = () => new TaskEngine({ ...shared, clock, ...options });
  return { clock, open, ...shared };
}

async function statusOf(engine: TaskEngine, id: string): Promise<string | undefined> {
  return (await engine.getTask(id))?.status;
}

Deno.test("a ttl runs out at its time, not before, with an error that says so", async () => {
  const { clock, open } = setUp();
  await using engine = open();
  await engine.createTask({ id: "t", ttl: 10 });
  await clock.pass(9_999);
  assert.equal(await statusOf(engine, "t"), "pending");
  await clock.pass(1);
  const task = (await engine.getTask("t"))!;
  assert.equal(task.status, "timeout");
  assert.equal(task.error?.code, "TTL_EXPIRED");
  assert.equal(task.completedAt, clock.now());
});

Deno.test("a ttl stops while the task is paused, and continues while it is blocked", async () => {
  const { clock, open } = setUp();
  await using engine = open();
  for (const id of ["paused", "blocked"]) {
    await engine.createTask({ id, ttl: 10 });
    await engine.transitionTask(id, "running");
  }
  await clock.pass(4_000);
  await engine.transitionTask("paused", "paused");
  await engine.transitionTask("blocked", "blocked");
  await clock.pass(6_000);
  assert.equal(await statusOf(engine, "blocked"), "timeout");
  await clock.pass(3_600_000);
  assert.equal(await statusOf(engine, "paused"), "paused");
  await engine.transitionTask("paused", "running");
  await clock.pass(5_999);
  assert.equal(await statusOf(engine, "paused"), "running");
  await clock.pass(1);
  assert.equal(await statusOf(engine, "paused"), "timeout");
});

Deno.test("a blocked task resumes after resumeAfterMs, unless it was answered before", async () => {
  const { clock, open } = setUp();
  await using engine = open();
  for (const id of ["waits", "answered"]) {
    await engine.createTask({ id });
    await engine.transitionTask(id, "running");
    await engine.transitionTask(id, "blocked", { resumeAfterMs: 500 });
  }
  await engine.resolve("answered", { yes: true });
  await engine.transitionTask("answered", "blocked");
  await clock.pass(500);
  assert.equal(await statusOf(engine, "waits"), "running");
  assert.equal((await engine.getTask("waits"))?.resumeAt, undefined);
  assert.equal(await statusOf(engine, "answered"), "blocked");
});

Deno.test("many instances on one store give one timeout event", async () => {
  const { clock, open } = setUp();
  await using first = open();
  await using _second = open();
  await using _third = open();
  await first.createTask({ id: "t", ttl: 1 });
  await clock.pass(5_000);
  const { events } = await first.getEvents("t");
  assert.deepEqual(events.map(({ type, data }) => [type, (data as { status: string }).status]), [
    ["taskcast:status", "timeout"],
  ]);
});

Deno.test("an instance finds work that another left", async () => {
  const { clock, open } = setUp();
  const dead = open();
  await dead.createTask({ id: "before", ttl: 1 });
  await dead.createTask({ id: "after", ttl: 60 });
  await dead.close();
  await clock.pass(30_000);
  await using heir = open();
  await clock.pass(0);
  assert.equal(await statusOf(heir, "before"), "timeout");
  await clock.pass(30_000);
  assert.equal(await statusOf(heir, "after"), "timeout");
});

Deno.test("more due tasks than fit into one look are all settled", async () => {
  const { clock, open } = setUp({ options: { sweepLimit: 3 } });
  await using engine = open();
  for (let i = 0; i < 20; i++) await engine.createTask({ id: `t${i}`, ttl: 1 });
  await clock.pass(1_000);
  const { tasks } = await engine.listTasks({ status: ["timeout"] });
  assert.equal(tasks.length, 20);
});

Deno.test("a store that fails for a while is asked again, and the host hears of it", async () => {
  const store = new MemoryShortTermStore();
  let down = false;
  const flaky = new Proxy(store, {
    get(target, name) {
      const method = Reflect.get(target, name, target);
      if (typeof method !== "function") return method;
      return (...args: unknown[]) =>
        down ? Promise.reject(new Error("the store is down")) : method.apply(target, args);
    },
  });
  const reported: string[] = [];
  const { clock, open } = setUp({
    shortTermStore: flaky,
    hooks: { onUnhandledError: (_, { operation }) => void reported.push(operation) },
  });
  await using engine = open();
  await engine.createTask({ id: "t", ttl: 1 });
  down = true;
  await clock.pass(10_000);
  assert.deepEqual(new Set(reported), new Set(["cleanup", "scheduler"]));
  down = false;
  await clock.pass(1_000);
  assert.equal(await statusOf(engine, "t"), "timeout");
});

Deno.test("an engine of a private store that has nothing to do has no timers", async () => {
  const { clock, open } = setUp({ options: { sweepMs: 0 } });
  const engine = open();
  await engine.createTask({ id: "t" });
  await clock.pass(0);
  assert.equal(clock.timers, 0);
  const reader = engine.subscribe("t").getReader();
  await reader.read();
  const next = reader.read();
  await clock.pass(0);
  assert(clock.timers > 0);
  await reader.cancel();
  assert((await next).done);
  assert.equal(clock.timers, 0, "what readers need ends with the last of them");
  await engine.createTask({ id: "u", ttl: 5 });
  assert.equal(clock.timers, 1);
  await engine.close();
  assert.equal(clock.timers, 0);
});

Deno.test("a reader whose wake-ups are all lost gets everything at the next poll", async () => {
  const { clock, open } = setUp({
    broadcast: lossyBroadcast(new MemoryBroadcastProvider(), { dropped: 1 }),
    shortTermStore: delayReads(new MemoryShortTermStore(), 0),
  });
  await using engine = open();
  await engine.createTask({ id: "t" });
  const types: string[] = [];
  const reading = (async () => {
    for await (const message of engine.subscribe("t")) {
      types.push(message.kind === "event" ? message.event.type : message.kind);
    }
  })();
  await clock.pass(0);
  await engine.publishEvent("t", { type: "a", data: 1 });
  await clock.pass(4_000);
  assert.deepEqual(types, ["open"]);
  await clock.pass(1_000);
  assert.deepEqual(types, ["open", "a"]);
  await engine.transitionTask("t", "completed");
  await clock.pass(5_000);
  await reading;
  assert.deepEqual(types, ["open", "a", "taskcast:status", "done"]);
});
