import assert from "node:assert/strict";
import type { BroadcastProvider, Signal } from "../contracts/broadcast.ts";
import type { Clock } from "../contracts/clock.ts";
import type { ShortTermStore } from "../contracts/short_term_store.ts";
import { INCARNATION, NOW, record } from "../conformance/store_fixtures.ts";
import { MemoryBroadcastProvider } from "../memory/broadcast.ts";
import { MemoryShortTermStore } from "../memory/short_term_store.ts";
import { HiddenTasks } from "./hidden_tasks.ts";
import { TaskEngine } from "../engine/engine.ts";
import type { StreamMessage } from "./object_encoder.ts";

/** A clock that stands still until it is advanced. */
class Standing implements Clock {
  #nowMs = NOW;
  readonly #timers = new Map<object, { atMs: number; callback: () => void }>();

  now(): number {
    return this.#nowMs;
  }

  setTimeout(callback: () => void, delayMs: number): unknown {
    const timer = {};
    this.#timers.set(timer, { atMs: this.#nowMs + delayMs, callback });
    return timer;
  }

  clearTimeout(timer: unknown): void {
    this.#timers.delete(timer as object);
  }

  pass(ms: number): void {
    this.#nowMs += ms;
    for (const [timer, { atMs, callback }] of [...this.#timers]) {
      if (atMs > this.#nowMs || !this.#timers.delete(timer)) continue;
      callback();
    }
  }
}

/** A broadcast layer that can lose all signals. */
class Lossy extends MemoryBroadcastProvider implements BroadcastProvider {
  isDeaf = false;

  override publish(signal: Signal): void {
    if (!this.isDeaf) super.publish(signal);
  }
}

const POLL_MS = 1_000;

async function setUp(visibleType = "shown") {
  const calls: Record<string, number> = {};
  const store = new Proxy<ShortTermStore>(new MemoryShortTermStore(), {
    get: (target, name) => {
      const method = Reflect.get(target, name, target);
      if (typeof method !== "function") return method;
      return (...args: unknown[]) => {
        calls[String(name)] = (calls[String(name)] ?? 0) + 1;
        return method.apply(target, args);
      };
    },
  });
  const [broadcast, clock] = [new Lossy(), new Standing()];
  const engine = new TaskEngine({
    broadcast,
    shortTermStore: store,
    clock,
    options: { pollMs: POLL_MS, heartbeatMs: 1_000_000, sweepMs: 0 },
  });
  let asked = 0;
  const stream = engine.subscribeAll({
    visible: ({ type }) => {
      asked++;
      return type === visibleType;
    },
  });
  const seen: string[] = [];
  const reader = stream.getReader();
  const reading = (async () => {
    for (;;) {
      const { value, done } = await reader.read() as ReadableStreamReadResult<StreamMessage>;
      if (done) return;
      if (value.kind !== "event") continue;
      const { taskId, type, data } = value.event;
      seen.push(`${taskId} ${type === "taskcast:status" ? "end" : data}`);
    }
  })();
  await settle();
  return {
    engine,
    broadcast,
    seen,
    asked: () => asked,
    /** Returns the calls to the store since the last time. */
    take() {
      const taken = { ...calls };
      for (const name of Object.keys(calls)) delete calls[name];
      return taken;
    },
    publish: (id: string, data: unknown) => engine.publishEvent(id, { type: "n", data }),
    async poll(times = 1) {
      for (let i = 0; i < times; i++) {
        clock.pass(POLL_MS);
        await settle();
      }
    },
    async [Symbol.asyncDispose]() {
      await engine.close();
      await reading.catch(() => {});
    },
  };
}

/** Lets pending work finish. Everything is in memory, so a few turns of the event loop are enough. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve, 0));
}

for (const lost of [false, true]) {
  const how = lost ? ", though every wake-up is lost" : "";
  Deno.test(`a hidden task that lives again as a visible one is followed from its first event${how}`, async () => {
    await using all = await setUp();
    const { engine, broadcast, seen, publish } = all;
    await engine.createTask({ id: "t", type: "hidden" });
    for (let i = 0; i < 5; i++) await publish("t", `old ${i}`);
    await all.poll(3);
    assert.deepEqual(seen, []);
    broadcast.isDeaf = lost;
    await engine.deleteTask("t");
    await engine.createTask({ id: "t", type: "shown" });
    for (let i = 0; i < 3; i++) await publish("t", i);
    await engine.transitionTask("t", "completed");
    await settle();
    if (lost) await all.poll();
    assert.deepEqual(seen, ["t 0", "t 1", "t 2", "t end"]);
    await all.poll(20);
    assert.equal(seen.length, 4);
  });

  Deno.test(`an ended task that lives again is followed from its first event${how}`, async () => {
    await using all = await setUp();
    const { engine, broadcast, seen, publish } = all;
    for (const type of ["shown", "hidden", "shown", "hidden", "shown"]) {
      broadcast.isDeaf = false;
      seen.length = 0;
      await engine.createTask({ id: "t", type });
      broadcast.isDeaf = lost;
      await publish("t", type);
      await engine.transitionTask("t", "completed");
      await settle();
      if (lost) await all.poll();
      assert.deepEqual(seen, type === "shown" ? ["t shown", "t end"] : []);
      await engine.deleteTask("t");
    }
  });
}

Deno.test("a reader of all tasks asks nothing of the store for tasks that it may not see", async () => {
  await using all = await setUp();
  const { engine, publish, take } = all;
  const ids = Array.from({ length: 300 }, (_, i) => `h${i}`);
  for (const id of ids) {
    await engine.createTask({ id, type: "hidden" });
    await publish(id, 0);
  }
  await settle();
  assert.equal(all.asked(), ids.length);
  take();
  for (const id of ids) for (let i = 1; i < 4; i++) await publish(id, i);
  await settle();
  assert.equal(take().getTask, undefined, "known tasks are not looked up again");
  await all.poll(40); // The tasks are then too old for the search for new ones.
  const { getTask, readLog } = take();
  assert.deepEqual([getTask, readLog], [undefined, undefined]);
  assert.equal(all.asked(), ids.length);
  // They were quiet, so they are forgotten; the next wake-up costs one read.
  for (const id of ids.slice(0, 10)) for (let i = 4; i < 9; i++) await publish(id, i);
  await settle();
  const later = take();
  assert(later.getTask! >= 10 && later.getTask! <= 20, `${later.getTask}`);
  assert.equal(later.readLog, undefined);
  assert.deepEqual(all.seen, []);
});

Deno.test("HiddenTasks remembers what was heard of lately, within its bound", () => {
  const hidden = new HiddenTasks({ maxTasks: 100 });
  const add = (id: string, createdAt = NOW) => hidden.add(record(id, { createdAt }));
  for (let i = 0; i < 1_000; i++) add(`t${i}`);
  assert.equal(hidden.size, 100);
  assert(!hidden.has("t0", INCARNATION) && hidden.has("t999", INCARNATION));
  assert(!hidden.has("t999", "another1"));
  for (let i = 0; i < 30; i++) {
    assert(hidden.covers({ taskId: "t950", from: 5, length: 6 }));
    hidden.poll(NOW + 1);
  }
  assert.equal(hidden.size, 1, "those that are quiet go");
  add("new", NOW + 5);
  for (let i = 0; i < 30; i++) hidden.poll(NOW + 1);
  assert(hidden.has("new", INCARNATION), "what is still listed stays");
  assert(!hidden.covers({ taskId: "new", from: 0, length: 1 }), "a first event may be another's");
  add("new", NOW + 5);
  assert(!hidden.covers({ taskId: "new", from: 3, length: 4, ended: true }));
  assert(!hidden.covers({ taskId: "new", from: 4, length: 5 }), "and is forgotten then");
});
