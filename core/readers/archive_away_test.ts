import assert from "node:assert/strict";
import type { FakeClock } from "../../testing/fake_clock.ts";
import { fakeClock } from "../../testing/fake_clock.ts";
import { interrupted } from "../../testing/databases/archive_setup.ts";
import type { ArchivePart } from "../contracts/long_term_store.ts";
import { MemoryBroadcastProvider } from "../memory/broadcast.ts";
import { MemoryLongTermStore } from "../memory/long_term_store.ts";
import { MemoryShortTermStore } from "../memory/short_term_store.ts";
import { TaskcastError } from "../protocol/errors.ts";
import { ulid } from "../protocol/ulid.ts";
import type { TaskEngineOptions } from "../engine/options.ts";
import { TaskEngine } from "../engine/engine.ts";

// Work that continues while the archive is unreachable, and work that is done afterwards.

const HOUR_MS = 3_600_000;
const AWAY = new TaskcastError("STORE_UNAVAILABLE", "the archive is away");

/** A store that claims to survive a restart. */
class DurableStore extends MemoryShortTermStore {
  override readonly durable = true;
}

function setUp({ hot = new DurableStore() as MemoryShortTermStore } = {}) {
  const clock = fakeClock();
  const cold = new MemoryLongTermStore();
  const errors: unknown[] = [];
  const world = { isAway: false, isSilent: false, asked: [] as string[] };
  const longTermStore = interrupted(cold, (method) => {
    world.asked.push(method);
    if (world.isSilent) return new Promise(() => {});
    if (world.isAway) throw AWAY;
  });
  const open = (more: Partial<TaskEngineOptions> = {}) =>
    new TaskEngine({
      clock,
      broadcast: new MemoryBroadcastProvider(),
      shortTermStore: hot,
      longTermStore,
      options: { hotRetentionMs: 1_000, archiveDelayMs: 100 },
      hooks: { onUnhandledError: (error) => void errors.push(error) },
      ...more,
    });
  return { clock, hot, cold, errors, world, open };
}

/** Creates a task, publishes to it, ends it, and waits until only the archive has it. */
async function leaveToArchive(engine: TaskEngine, clock: FakeClock, id: string): Promise<void> {
  await engine.createTask({ id, tags: ["a"] });
  await engine.publishEvents(id, [1, 2, 3].map((data) => ({ type: "n", data })));
  await engine.transitionTask(id, "completed");
  await clock.pass(5_000);
}

async function dataOf(engine: TaskEngine, id: string): Promise<unknown[]> {
  const { events } = await engine.getEvents(id, { filter: { includeStatus: false } });
  return events.map(({ data }) => data);
}

const exists = { code: "TASK_EXISTS" };
const unavailable = { code: "STORE_UNAVAILABLE" };
const notFound = { code: "TASK_NOT_FOUND" };

Deno.test("a task with a fresh id is created without asking the archive", async () => {
  const { clock, world, open } = setUp();
  await using engine = open();
  await clock.pass(0);
  world.asked.length = 0;
  await engine.createTask();
  await engine.createTask({ id: ulid(clock.now()) });
  await engine.createTask({ id: ulid(clock.now() - HOUR_MS / 2) });
  assert.deepEqual(world.asked, []);
  for (const id of ["t", ulid(clock.now() - HOUR_MS), ulid(clock.now() + HOUR_MS)]) {
    world.asked.length = 0;
    await engine.createTask({ id });
    assert.deepEqual(world.asked, ["getTask"], id);
  }
});

Deno.test("a store that forgets over a restart cannot vouch for an id, however new", async () => {
  const { clock, world, open } = setUp({ hot: new MemoryShortTermStore() });
  await using engine = open();
  await clock.pass(0);
  world.asked.length = 0;
  await engine.createTask({ id: ulid(clock.now()) });
  assert.deepEqual(world.asked, ["getTask"]);
});

Deno.test("while the archive is away tasks with ids of their own are created, and no id twice", async () => {
  const { clock, hot, cold, world, errors, open } = setUp();
  await using engine = open();
  const fresh = ulid(clock.now());
  await leaveToArchive(engine, clock, fresh);
  await leaveToArchive(engine, clock, "released");
  await engine.createTask({ id: "live" });
  assert.equal(await hot.getTask(fresh), undefined);
  world.isAway = true;
  for (const id of [fresh, "released", "live"]) {
    await assert.rejects(engine.createTask({ id }), exists, id);
  }
  await engine.createTask({ id: ulid(clock.now()) });
  await engine.createTask({ id: "own" });
  await assert.rejects(engine.createTask({ id: "own" }), exists);
  await engine.publishEvent("own", { type: "n", data: 1 });
  await engine.transitionTask("own", "running");
  assert.equal((await hot.getTask("own"))!.record.unconfirmed, true);
  world.isAway = false;
  await clock.pass(10_000);
  assert.equal((await cold.getTask("own"))?.length, 2);
  assert.equal(engine.stats.tasksDisplaced, 0);
  assert(errors.every((error) => error === AWAY), `${errors}`);
});

Deno.test("an archive that never answers costs one creation a second, and the others nothing", async () => {
  const { clock, world, open } = setUp();
  await using engine = open();
  await clock.pass(0);
  world.isSilent = true;
  world.asked.length = 0;
  let created = 0;
  const create = (id: string) => engine.createTask({ id }).then(() => created++);
  const first = create("a");
  await clock.pass(999);
  assert.equal(created, 0);
  await clock.pass(1);
  await first;
  await Promise.all(Array.from({ length: 50 }, (_, i) => create(`b${i}`)));
  assert.equal(created, 51);
  assert.equal(world.asked.filter((method) => method === "getTask").length, 1);
});

Deno.test("of two tasks that have had an id both logs are kept, and the newer is served", async () => {
  const { clock, hot, cold, world, errors, open } = setUp();
  await using engine = open();
  await leaveToArchive(engine, clock, "t");
  const older = (await cold.getTask("t"))!.record;
  await clock.pass(3 * HOUR_MS);
  world.isAway = true;
  await engine.createTask({ id: "t", type: "newer" });
  await engine.publishEvents("t", ["x", "y"].map((data) => ({ type: "n", data })));
  await clock.pass(10_000);
  assert.deepEqual(await dataOf(engine, "t"), ["x", "y"]);
  world.isAway = false;
  errors.length = 0;
  await using other = open();
  await clock.pass(10_000);
  await engine.transitionTask("t", "completed");
  await clock.pass(10_000);
  assert.equal(await hot.getTask("t"), undefined);
  assert.deepEqual(await dataOf(engine, "t"), ["x", "y"]);
  assert.equal((await engine.getTask("t"))?.type, "newer");
  assert.equal(engine.stats.tasksDisplaced + other.stats.tasksDisplaced, 1);
  const told = errors.filter((error) => String(error).includes('"t"'));
  assert.equal(told.length, 1, `${errors}`);
  assert(String(told[0]).includes(older.incarnation));

  assert.deepEqual((await engine.listTasks()).tasks.map(({ type }) => type), ["newer"]);
  assert.deepEqual((await engine.listTasks({ tag: "a" })).tasks, []);
  const displaced = { task: older.task, incarnation: older.incarnation };
  assert.deepEqual(await engine.listDisplaced(), [displaced]);
  const after = { ...older.task, incarnation: older.incarnation };
  assert.deepEqual(await engine.listDisplaced({ after }), []);
  const exported = await engine.exportDisplaced("t", older.incarnation);
  assert.deepEqual(exported.task, older.task);
  const events = await Array.fromAsync(exported.events);
  assert.deepEqual(events.map(({ data }) => data).slice(0, 3), [1, 2, 3]);
  assert(events.every(({ taskId }) => taskId === "t"));
  await assert.rejects(engine.exportDisplaced("t", "another0"), notFound);
  await engine.deleteDisplaced("t", older.incarnation);
  await assert.rejects(engine.deleteDisplaced("t", older.incarnation), notFound);
  assert.deepEqual(await engine.listDisplaced(), []);
  assert.deepEqual(await dataOf(engine, "t"), ["x", "y"]);
});

Deno.test("lists answer what they have and say that they are partial", async () => {
  const { clock, world, open } = setUp();
  await using engine = open();
  await leaveToArchive(engine, clock, "cold");
  await engine.createTask({ id: "hot" });
  const list = async (query: object) => {
    const { tasks, partial } = await engine.listTasks(query);
    return [tasks.map(({ id }) => id), partial];
  };
  const ids = ["cold", "hot"];
  assert.deepEqual(await list({}), [["hot", "cold"], undefined]);
  assert.deepEqual(await list({ ids }), [["hot", "cold"], undefined]);
  world.isAway = true;
  assert.deepEqual(await list({}), [["hot"], true]);
  assert.deepEqual(await list({ limit: 1 }), [["hot"], true]);
  assert.deepEqual(await list({ ids }), [["hot"], true]);
  assert.deepEqual(await list({ ids: ["hot"] }), [["hot"], undefined]);
  world.isAway = false;
  await clock.pass(1_000);
  assert.deepEqual(await list({}), [["hot", "cold"], undefined]);
});

for (const where of ["hot", "archived", "released"] as const) {
  Deno.test(`a task that is deleted while the archive is away is gone, and its id closed: ${where}`, async () => {
    const { clock, hot, cold, world, open } = setUp();
    await using engine = open();
    if (where === "hot") world.isAway = true;
    await engine.createTask({ id: "t", tags: ["a"] });
    const big = "x".repeat(1_000);
    for (let i = 0; i < 40; i++) {
      const data = { delta: big };
      await engine.publishEvent("t", { type: "d", data, seriesId: "s", seriesMode: "accumulate" });
    }
    await clock.pass(500);
    if (where === "released") {
      await engine.transitionTask("t", "completed");
      await clock.pass(5_000);
      assert.equal(await hot.getTask("t"), undefined);
    }
    world.isAway = true;
    const reading = where === "released" ? undefined : Array.fromAsync(engine.subscribe("t"));
    await clock.pass(0);
    const bytes = hot.bytes;
    assert.equal(await engine.deleteTask("t"), "pending");
    if (where !== "released") assert(hot.bytes < bytes - 40_000, "its log made room");
    assert.equal((await reading)?.at(-1)?.kind, reading && "done");
    const assertGone = async (engine: TaskEngine) => {
      assert.equal(await engine.getTask("t"), undefined);
      await assert.rejects(engine.getEvents("t"), notFound);
      await assert.rejects(engine.transitionTask("t", "cancelled"), notFound);
      await assert.rejects(engine.publishEvent("t", { type: "n", data: 1 }), notFound);
      await assert.rejects(engine.deleteTask("t"), notFound);
      await assert.rejects(engine.createTask({ id: "t" }), exists);
      for (const query of [{}, { tag: "a" }, { ids: ["t"] }]) {
        assert.deepEqual((await engine.listTasks(query)).tasks, []);
      }
    };
    await assertGone(engine);
    await clock.pass(3 * HOUR_MS);
    await assertGone(engine);
    await engine.close();
    await using next = open();
    await clock.pass(10_000);
    await assertGone(next);
    world.isAway = false;
    await clock.pass(10_000);
    assert.equal(await cold.getTask("t"), undefined);
    assert.equal(await hot.getTask("t"), undefined);
    await next.createTask({ id: "t" });
    await clock.pass(1_000);
    assert.equal((await cold.getTask("t"))?.length, 0);
  });
}

Deno.test("a deletion that cannot be remembered is refused, and nothing is changed", async () => {
  const { clock, world, open } = setUp({ hot: new MemoryShortTermStore() });
  await using engine = open();
  await engine.createTask({ id: "t" });
  await engine.publishEvent("t", { type: "n", data: 1 });
  world.isAway = true;
  await assert.rejects(engine.deleteTask("t"), unavailable);
  assert.deepEqual(await dataOf(engine, "t"), [1]);
  await engine.publishEvent("t", { type: "n", data: 2 });
  world.isAway = false;
  await clock.pass(1_000);
  assert.equal(await engine.deleteTask("t"), "deleted");
});

Deno.test("a task that is deleted after its release has its id free again", async () => {
  const { clock, open } = setUp();
  await using engine = open();
  await leaveToArchive(engine, clock, "t");
  assert.equal(await engine.deleteTask("t"), "deleted");
  await engine.createTask({ id: "t" });
});

Deno.test("a task that the archive refuses for good holds up no other, and is listed", async () => {
  const { clock, hot, cold, errors, open } = setUp();
  let attempts = 0;
  const broken = new TaskcastError("INTERNAL", "this cannot be stored");
  const longTermStore = new Proxy(cold, {
    get(target, name) {
      const method = Reflect.get(target, name, target);
      if (typeof method !== "function") return method;
      return async (...args: unknown[]) => {
        const isBroken = name === "archive" &&
          (args[0] as ArchivePart[]).some(({ record }) => record.task.id.startsWith("broken"));
        if (isBroken) attempts++;
        if (isBroken) throw broken;
        return await method.apply(target, args);
      };
    },
  });
  await using engine = open({ longTermStore });
  const ids = Array.from({ length: 30 }, (_, i) => i % 10 === 3 ? `broken${i}` : `t${i}`);
  for (const id of ids) {
    await engine.createTask({ id });
    await engine.publishEvent(id, { type: "n", data: id });
  }
  await clock.pass(1_000);
  for (const id of ids) {
    const isBroken = id.startsWith("broken");
    assert.equal((await cold.getTask(id))?.length, isBroken ? undefined : 1, id);
    assert.equal((await hot.getTask(id))?.length, 1);
  }
  const { archive } = engine.setAside();
  assert.equal(archive?.count, 3);
  assert.deepEqual(archive?.tasks.map(({ taskId }) => taskId).sort(), [
    "broken13",
    "broken23",
    "broken3",
  ]);
  assert.equal(archive?.tasks[0]?.error, "this cannot be stored");
  assert(errors.every((error) => error === broken));
  // They are retried at increasing intervals; tasks that arrive meanwhile are archived as usual.
  await clock.pass(HOUR_MS);
  assert(attempts < 100, `${attempts}`);
  await engine.createTask({ id: "later" });
  await clock.pass(1_000);
  assert.equal((await cold.getTask("later"))?.length, 0);
  assert.equal(engine.setAside().archive?.count, 3);
  assert.equal(engine.stats.archiveLagMs, 0);
});
