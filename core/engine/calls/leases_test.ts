import assert from "node:assert/strict";
import { fakeClock } from "../../../testing/fake_clock.ts";
import { until } from "../../../testing/sse/sse.ts";
import type { ShortTermStore } from "../../contracts/short_term_store.ts";
import { seededRandom } from "../../conformance/seeded_random.ts";
import { delayReads, lossyBroadcast } from "../../conformance/mod.ts";
import { MemoryBroadcastProvider } from "../../memory/broadcast.ts";
import { MemoryShortTermStore } from "../../memory/short_term_store.ts";
import type { CreateTaskInput, LeasedTask, TransitionOptions } from "../../protocol/task.ts";
import type { TaskStatus } from "../../protocol/status.ts";
import type { TaskEngineOptions } from "../options.ts";
import { TaskEngine } from "../engine.ts";

/** Errors that no caller receives, for tests that cause them. */
const quiet = { onUnhandledError: () => {} };

const MS = 10_000;

function setUp(options: Partial<TaskEngineOptions> = {}) {
  const clock = fakeClock();
  const store = new MemoryShortTermStore();
  const shared = { broadcast: new MemoryBroadcastProvider(), shortTermStore: store, clock };
  return { clock, store, open: () => new TaskEngine({ ...shared, ...options }) };
}

/** Creates a running task with a lease, and lets the engine become steady. */
async function startLeased(
  engine: TaskEngine,
  input: CreateTaskInput = {},
  ms = MS,
): Promise<Required<LeasedTask>> {
  const created = await engine.createTask(input);
  const task = await engine.transitionTask(created.id, "running", { lease: { ms } });
  assert(task.lease !== undefined && task.leaseUntil !== undefined);
  return task as Required<LeasedTask>;
}

async function stateOf(engine: TaskEngine, id: string) {
  const task = (await engine.getTask(id))!;
  return task.error === undefined ? task.status : `${task.status} ${task.error.code}`;
}

Deno.test("a lease is granted at creation or with running, and shown without its token", async () => {
  const { clock, open } = setUp();
  await using engine = open();
  const created = await engine.createTask({ lease: { ms: MS, holder: "host-1" } });
  assert.match(created.lease!, /^1\.[0-9a-v]{16}$/);
  assert.equal(created.leaseUntil, clock.now() + MS);
  const shown = (await engine.getTask(created.id))!;
  assert.deepEqual(
    [shown.attempt, shown.leaseHolder, shown.leaseSince, "lease" in shown],
    [1, "host-1", clock.now(), false],
  );
  const running = await engine.transitionTask(created.id, "running", { lease: { ms: 2 * MS } });
  assert.match(running.lease!, /^2\./);
  assert.equal(running.leaseUntil, clock.now() + 2 * MS);
  assert.equal(running.leaseHolder, undefined);
  const ended = await engine.transitionTask(created.id, "completed");
  assert.deepEqual([ended.attempt, ended.leaseSince, ended.lease], [2, undefined, undefined]);
});

Deno.test("a task fails once its lease expires, with one event, and not while it is renewed", async () => {
  const { clock, open } = setUp();
  await using engine = open();
  await clock.pass(MS);
  const { id, lease } = await startLeased(engine);
  for (let beat = 0; beat < 5; beat++) {
    await clock.pass(MS - 1);
    const renewed = await engine.heartbeat(id, lease);
    assert.deepEqual(renewed, { taskId: id, state: "held", leaseUntil: clock.now() + MS });
  }
  await clock.pass(MS - 1);
  assert.equal(await stateOf(engine, id), "running");
  await clock.pass(1);
  assert.equal(await stateOf(engine, id), "failed PRODUCER_LOST");
  const { events } = await engine.getEvents(id);
  assert.equal(events.length, 2, "running, failed");
  assert.equal(engine.stats.leasesLost, 1);
  assert.equal((await engine.heartbeat(id, lease)).state, "failed");
});

Deno.test("renewals change no version and no log", async () => {
  const { open } = setUp();
  await using engine = open();
  const { id, lease } = await startLeased(engine);
  const before = await engine.readTask(id);
  await engine.heartbeat(id, lease);
  assert.deepEqual(await engine.readTask(id), before);
});

Deno.test("only what carries the token is a sign of life", async () => {
  const { clock, open } = setUp();
  await using engine = open();
  await clock.pass(MS);
  const watched = await startLeased(engine);
  const told = await startLeased(engine);
  await clock.pass(MS - 1);
  for (const { id } of [watched, told]) {
    await engine.transitionTask(id, "blocked", {}, id === told.id ? { lease: told.lease } : {});
    await engine.publishEvent(id, { type: "n", data: 1 });
  }
  await clock.pass(1);
  assert.equal(await stateOf(engine, watched.id), "failed PRODUCER_LOST");
  assert.equal(await stateOf(engine, told.id), "blocked");
  await engine.resolve(told.id, "yes");
  await clock.pass(MS - 1);
  assert.equal(await stateOf(engine, told.id), "failed PRODUCER_LOST", "an answer is by others");
});

Deno.test("publishing under a lease does not move its expiry, and is refused once it is lost", async () => {
  const { clock, open } = setUp();
  await using engine = open();
  await clock.pass(MS);
  const { id, lease } = await startLeased(engine);
  await clock.pass(MS / 2);
  await engine.publishEvent(id, { type: "n", data: 1 }, { lease });
  const next = await engine.transitionTask(id, "paused");
  const taken = await engine.transitionTask(next.id, "running", { lease: { ms: MS } });
  const publish = (token: string) =>
    engine.publishEvents(id, [{ type: "n", data: 2 }], { lease: token });
  await assert.rejects(publish(lease), { code: "LEASE_LOST" });
  await publish(taken.lease!);
  await clock.pass(MS);
  await assert.rejects(publish(taken.lease!), { code: "TASK_TERMINAL" });
});

Deno.test("a transition under a lost lease is refused", async () => {
  const { open } = setUp();
  await using engine = open();
  const { id, lease } = await startLeased(engine);
  const options = { lease: "1.aaaaaaaaaaaaaaaa" };
  await assert.rejects(engine.transitionTask(id, "completed", {}, options), { code: "LEASE_LOST" });
  assert.equal(await stateOf(engine, id), "running");
  await engine.transitionTask(id, "completed", {}, { lease });
  await assert.rejects(engine.transitionTask(id, "failed", {}, { lease }), {
    code: "TASK_TERMINAL",
  });
});

Deno.test("a lease does not expire while its task is paused, and has its whole time afterwards", async () => {
  const { clock, open } = setUp();
  await using engine = open();
  await clock.pass(MS);
  const { id, lease } = await startLeased(engine);
  await clock.pass(MS - 1);
  await engine.transitionTask(id, "paused");
  await clock.pass(100 * MS);
  assert.deepEqual(await engine.heartbeat(id, lease), { taskId: id, state: "paused" });
  await engine.transitionTask(id, "running");
  await clock.pass(MS - 1);
  assert.equal(await stateOf(engine, id), "running");
  await clock.pass(1);
  assert.equal(await stateOf(engine, id), "failed PRODUCER_LOST");
});

Deno.test("renewing says of each lease what became of it", async () => {
  const { open } = setUp();
  await using engine = open();
  const held = await startLeased(engine);
  const blocked = await startLeased(engine);
  await engine.transitionTask(blocked.id, "blocked");
  const lost = await startLeased(engine);
  await engine.transitionTask(lost.id, "paused");
  await engine.transitionTask(lost.id, "running", { lease: { ms: MS } });
  const ended = await startLeased(engine);
  await engine.transitionTask(ended.id, "cancelled");
  const deleted = await startLeased(engine);
  await engine.deleteTask(deleted.id);
  const all = [held, blocked, lost, ended, deleted];
  const renewed = await engine.renewLeases(all.map(({ id, lease }) => ({ taskId: id, lease })));
  assert.deepEqual(
    renewed.map(({ state }) => state),
    ["held", "blocked", "lost", "cancelled", "deleted"],
  );
  assert.deepEqual(renewed.map(({ taskId }) => taskId), all.map(({ id }) => id));
});

Deno.test("a young instance puts an expiry off, once, so that living producers can renew", async () => {
  const { clock, open } = setUp();
  const first = open();
  const living = await startLeased(first);
  const dead = await startLeased(first);
  await first.close();
  await clock.pass(45_000); // The only server is stopped.
  await using second = open();
  await clock.pass(MS - 1);
  assert.equal((await second.heartbeat(living.id, living.lease)).state, "held");
  assert.equal(await stateOf(second, dead.id), "running");
  await clock.pass(1);
  assert.equal(await stateOf(second, dead.id), "failed PRODUCER_LOST");
  assert.equal(await stateOf(second, living.id), "running");
});

Deno.test("leases also expire where no instance gets old enough", async () => {
  const { clock, open } = setUp();
  const first = open();
  const { id } = await startLeased(first);
  await first.close();
  const started = clock.now();
  let status: string | undefined = "running";
  while (status === "running") {
    assert(clock.now() - started < 60_000, "it expires");
    await using crashing = open();
    await clock.pass(2_000);
    status = (await crashing.getTask(id))!.status;
  }
  assert.equal(status, "failed");
});

Deno.test("an outage of the store is not the death of producers", async () => {
  const { clock, store, open } = setUp({ hooks: quiet });
  let isAway = false;
  const due = store.due.bind(store);
  store.due = async (...args) => {
    if (isAway) throw new Error("away");
    return await due(...args);
  };
  await using engine = open();
  await clock.pass(MS);
  const { id, lease } = await startLeased(engine);
  isAway = true;
  await clock.pass(45_000);
  isAway = false;
  await clock.pass(3_000);
  assert.equal((await engine.heartbeat(id, lease)).state, "held");
});

Deno.test("an instance that was frozen lets producers renew before it fails their tasks", async () => {
  const { clock, open } = setUp();
  await using engine = open();
  await clock.pass(MS);
  const { id, lease } = await startLeased(engine);
  clock.freeze(45_000);
  await clock.pass(1);
  assert.equal(await stateOf(engine, id), "running");
  assert.equal((await engine.heartbeat(id, lease)).state, "held");
});

Deno.test("leases are refused where the store has none, and in the wrong places", async () => {
  const shortTermStore: ShortTermStore = new MemoryShortTermStore();
  Object.defineProperty(shortTermStore, "leases", { value: undefined });
  const { open } = setUp({ shortTermStore });
  await using engine = open();
  const unsupported = { code: "NOT_SUPPORTED" };
  await assert.rejects(engine.createTask({ lease: { ms: MS } }), unsupported);
  const { id } = await engine.createTask();
  await assert.rejects(
    engine.transitionTask(id, "running", { lease: { ms: MS } }),
    unsupported,
  );
  await assert.rejects(
    engine.publishEvent(id, { type: "n", data: 1 }, { lease: "1.a" }),
    unsupported,
  );
  await assert.rejects(engine.heartbeat(id, "1.a"), unsupported);

  await using other = setUp().open();
  const invalid = { code: "INVALID_INPUT" };
  const wrong: unknown[] = [{}, { ms: 4_999 }, { ms: 3_600_001 }, { ms: MS, holder: "" }, 1];
  for (const lease of wrong) {
    await assert.rejects(other.createTask({ lease } as CreateTaskInput), invalid);
  }
  const requeued = { lease: { ms: MS, onLost: "requeue" } } as unknown as CreateTaskInput;
  await assert.rejects(other.createTask(requeued), unsupported);
  const task = await other.createTask();
  const asked = { lease: { ms: MS } };
  await assert.rejects(other.transitionTask(task.id, "completed", asked), invalid);
  const many = Array.from({ length: 1_001 }, () => ({ taskId: "t", lease: "1.a" }));
  await assert.rejects(other.renewLeases(many), invalid);
});

Deno.test("a lease on a running task is granted if nobody has one, or taken", async () => {
  const { clock, open } = setUp();
  await using engine = open();
  await clock.pass(MS);
  const { id } = await engine.createTask();
  await engine.transitionTask(id, "running");
  const first = await engine.takeLease(id, { ms: MS, holder: "a" });
  assert.equal(first.leaseUntil, clock.now() + MS);
  await assert.rejects(engine.takeLease(id, { ms: MS }), { code: "LEASE_HELD" });
  const second = await engine.takeLease(id, { ms: MS, take: true });
  assert.equal((await engine.heartbeat(id, first.lease!)).state, "lost");
  assert.equal((await engine.heartbeat(id, second.lease!)).state, "held");
  assert.equal((await engine.getEvents(id)).events.length, 1, "it is no event");
  await clock.pass(MS);
  assert.equal(await stateOf(engine, id), "failed PRODUCER_LOST");
  await assert.rejects(engine.takeLease(id, { ms: MS, take: true }), { code: "TASK_TERMINAL" });
});

Deno.test("a producer that renews its lease has the whole grace of a request to cancel", async () => {
  const { clock, open } = setUp();
  await using engine = open();
  await clock.pass(MS);
  const living = await startLeased(engine);
  const dead = await startLeased(engine);
  const paused = await startLeased(engine);
  await engine.transitionTask(paused.id, "paused");
  for (const { id } of [living, dead, paused]) await engine.cancelTask(id, { graceMs: 6 * MS });
  for (let beat = 0; beat < 6; beat++) {
    await clock.pass(MS - 1);
    const leaseUntil = clock.now() + MS;
    const renewed = await engine.heartbeat(living.id, living.lease);
    assert.deepEqual(renewed, { taskId: living.id, state: "stopping", leaseUntil });
    const still = await engine.heartbeat(paused.id, paused.lease);
    assert.deepEqual(still, { taskId: paused.id, state: "stopping" }, "it does not expire");
  }
  assert.equal(await stateOf(engine, living.id), "running");
  assert.match(await stateOf(engine, dead.id), /^cancelled/);
  await clock.pass(6);
  assert.match(await stateOf(engine, living.id), /^cancelled/);
});

Deno.test("a lease of another incarnation of a task is not renewed", async () => {
  const { open } = setUp();
  await using engine = open();
  const { id } = await engine.createTask({ id: "again" });
  const { incarnation } = (await engine.readTask(id))!;
  await engine.deleteTask(id);
  const { lease } = await startLeased(engine, { id });
  const [renewed] = await engine.renewLeases([{ taskId: id, lease, incarnation }]);
  assert.deepEqual(renewed, { taskId: id, state: "deleted" });
  await assert.rejects(engine.heartbeat(id, lease, { incarnation }), { code: "TASK_NOT_FOUND" });
  const current = (await engine.readTask(id))!.incarnation;
  assert.equal((await engine.heartbeat(id, lease, { incarnation: current })).state, "held");
});

/** Statuses that a holder may move its task to. */
const STEPS: readonly [TaskStatus, TransitionOptions][] = [
  ["blocked", {}],
  ["running", {}],
  ["paused", {}],
];

Deno.test("property: tasks of living producers go on, those of dead ones fail once and in time", async () => {
  for (let seed = 1; seed <= 30; seed++) {
    const random = seededRandom(seed);
    const clock = fakeClock();
    const shortTermStore = delayReads(new MemoryShortTermStore(), 1);
    const broadcast = lossyBroadcast(new MemoryBroadcastProvider(), { seed });
    const open = () =>
      new TaskEngine({ broadcast, shortTermStore, clock, options: { sweepMs: 1_000 } });
    await using one = open();
    await using two = open();
    const either = () => random() < 0.5 ? one : two;
    await clock.pass(MS);
    const { id, lease } = await startLeased(either());
    const diesAfter = Math.floor(random() * 6);
    let last = clock.now();
    for (let beat = 0; beat < diesAfter; beat++) {
      await clock.pass(Math.floor(random() * (MS - 2_000)));
      if (random() < 0.3) {
        const [to, options] = STEPS[Math.floor(random() * STEPS.length)]!;
        await either().transitionTask(id, to, options, { lease }).catch((error) =>
          assert.equal(error.code, "INVALID_TRANSITION")
        );
      }
      const { state } = await either().heartbeat(id, lease);
      assert(["held", "blocked", "paused"].includes(state), `seed ${seed}: ${state}`);
      last = clock.now();
    }
    if (await stateOf(one, id) === "paused") {
      await either().transitionTask(id, "running", {}, { lease });
      last = clock.now();
    }
    await clock.pass(MS - 1);
    assert.doesNotMatch(await stateOf(one, id), /^failed/, `seed ${seed}: ${clock.now() - last}`);
    await clock.pass(2_001);
    // Reads answer some turns of the event loop late, and hardly any time passes in them.
    await until(async () => {
      await clock.pass(1);
      return await stateOf(one, id) === "failed PRODUCER_LOST";
    }, `seed ${seed}`);
    const { events } = await one.getEvents(id, { limit: 1_000 });
    const failed = events.filter(({ data }) => (data as { status?: string }).status === "failed");
    assert.equal(failed.length, 1, `seed ${seed}`);
  }
});
