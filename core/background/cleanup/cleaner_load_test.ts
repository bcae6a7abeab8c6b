import assert from "node:assert/strict";
import { fakeClock } from "../../../testing/fake_clock.ts";
import { MemoryBroadcastProvider } from "../../memory/broadcast.ts";
import { MemoryShortTermStore } from "../../memory/short_term_store.ts";
import type { CleanupRule } from "../../protocol/cleanup.ts";
import type { TaskEngineOptions } from "../../engine/options.ts";
import { TaskEngine } from "../../engine/engine.ts";

// Clean-up with many tasks, and with stores that fail occasionally.

const AT_ONCE: CleanupRule = { trigger: { afterMs: 0 }, target: "all" };

/** A store with ended tasks to which no rule applied when they ended. */
async function setUp(tasks: number, options: Pick<TaskEngineOptions, "clock"> = {}) {
  const store = new MemoryShortTermStore();
  const common = { ...options, broadcast: new MemoryBroadcastProvider(), shortTermStore: store };
  await using engine = new TaskEngine(common);
  for (let i = 0; i < tasks; i++) {
    await engine.createTask({ id: `t${i}` });
    await engine.transitionTask(`t${i}`, "cancelled");
  }
  return { store, common: { ...common, cleanup: { rules: [AT_ONCE] } } };
}

/** A store that calls a function before each method. */
function watched(
  store: MemoryShortTermStore,
  before: (method: string | symbol, taskId: unknown) => void,
): MemoryShortTermStore {
  return new Proxy(store, {
    get(target, name) {
      const method = Reflect.get(target, name, target);
      if (typeof method !== "function") return method;
      return async (...args: unknown[]) => {
        before(name, args[0]);
        return await method.apply(target, args);
      };
    },
  });
}

async function idsIn(store: MemoryShortTermStore): Promise<string[]> {
  return (await store.listTasks({ limit: 500 })).tasks.map(({ task: { id } }) => id);
}

Deno.test("looking through many tasks in memory leaves others their turns", async () => {
  const { common } = await setUp(1_000);
  await using engine = new TaskEngine(common);
  const turn = () => new Promise<void>((resolve) => setTimeout(resolve, 0));
  await turn();
  assert(engine.stats.tasksCleaned < 1_000, `${engine.stats.tasksCleaned} in one turn`);
  while (engine.stats.tasksCleaned < 1_000) await turn();
});

Deno.test("a task that cannot be read keeps no other from being cleaned", async () => {
  const clock = fakeClock();
  const { store, common } = await setUp(100, { clock });
  const errors: unknown[] = [];
  const shortTermStore = watched(store, (method, taskId) => {
    if (method === "getTask" && taskId === "t99") throw new Error("it is broken");
  });
  const hooks = {
    onUnhandledError: (_: unknown, { operation, taskId }: { operation: string; taskId?: string }) =>
      void errors.push([operation, taskId]),
  };
  await using _engine = new TaskEngine({ ...common, shortTermStore, hooks });
  await clock.pass(1_000);
  assert.deepEqual(await idsIn(store), ["t99"]);
  assert.deepEqual(errors[0], ["cleanup", "t99"]);
});

Deno.test("a store that fails while tasks are looked through costs one of them its turn at most", async () => {
  const clock = fakeClock();
  const { store, common } = await setUp(250, { clock });
  let calls = 0;
  const shortTermStore = watched(store, (method) => {
    if (method === "schedule" && ++calls === 5) throw new Error("away for a moment");
  });
  const hooks = { onUnhandledError: () => {} };
  await using _engine = new TaskEngine({ ...common, shortTermStore, hooks });
  await clock.pass(60_000);
  // The next search may find that one.
  assert.equal((await idsIn(store)).length, 1);
  await clock.pass(7 * 3_600_000);
  assert.deepEqual(await idsIn(store), []);
});

Deno.test("an engine that closes does not finish a long log first, and another continues there", async () => {
  const clock = fakeClock();
  const store = new MemoryShortTermStore();
  const rules: CleanupRule[] = [{ trigger: { afterMs: 0 }, target: "events" }];
  const common = { clock, broadcast: new MemoryBroadcastProvider(), cleanup: { rules } };
  const options = { pageSize: 4 };
  let trims = 0;
  let closed: Promise<void> | undefined;
  const shortTermStore = watched(store, (method) => {
    if (method === "trimLog" && ++trims === 2) closed = engine.close();
  });
  const engine = new TaskEngine({ ...common, shortTermStore, options });
  await engine.createTask({ id: "t" });
  for (let i = 0; i < 40; i++) await engine.publishEvent("t", { type: "a", data: i });
  await engine.transitionTask("t", "cancelled");
  await clock.pass(1_000);
  assert(closed !== undefined);
  await closed;
  assert.equal(trims, 2);
  assert.equal(clock.timers, 0);
  await using _other = new TaskEngine({ ...common, shortTermStore: store, options });
  await clock.pass(20_000);
  const page = await store.readLog("t", { after: -1, limit: 99 });
  assert.deepEqual(page!.events.map(({ index }) => index), [40]);
});
