import assert from "node:assert/strict";
import { fakeClock } from "../../../testing/fake_clock.ts";
import { until } from "../../../testing/sse/sse.ts";
import { delayReads, lossyBroadcast } from "../../conformance/mod.ts";
import { seededRandom } from "../../conformance/seeded_random.ts";
import { MemoryBroadcastProvider } from "../../memory/broadcast.ts";
import { MemoryShortTermStore } from "../../memory/short_term_store.ts";
import type { TaskCancel } from "../../protocol/cancel.ts";
import { TaskcastError } from "../../protocol/errors.ts";
import type { TransitionOptions } from "../../protocol/task.ts";
import { isTerminal, type TaskStatus } from "../../protocol/status.ts";
import type { StreamMessage } from "../../streams/object_encoder.ts";
import { TaskEngine } from "../engine.ts";

function setUp() {
  const clock = fakeClock();
  const shared = {
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
    clock,
  };
  return { clock, open: () => new TaskEngine(shared) };
}

async function startRunning(engine: TaskEngine, options: TransitionOptions = {}, ttl?: number) {
  const { id } = await engine.createTask({ ttl });
  return await engine.transitionTask(id, "running", options);
}

/** Returns the server's events of a task: their types without `taskcast:`, and their data. */
async function told(engine: TaskEngine, id: string): Promise<[string, unknown][]> {
  const { events } = await engine.getEvents(id);
  return events.map(({ type, data }) => [
    type.replace("taskcast:", ""),
    JSON.parse(JSON.stringify(data)),
  ]);
}

Deno.test("a request to cancel gives the producer time, in which it may end the task in any way", async () => {
  const { clock, open } = setUp();
  await using engine = open();
  const { id } = await startRunning(engine);
  const requested = await engine.cancelTask(id, { reason: "stop", by: "u1", graceMs: 3_000 });
  const requestedAt = clock.now();
  const cancel = { requestedAt, by: "u1", reason: "stop", deadlineAt: requestedAt + 3_000 };
  assert.deepEqual([requested.status, requested.cancel], ["running", cancel]);
  await clock.pass(40);
  await engine.confirmCancel(id);
  await engine.publishEvent(id, { type: "usage", data: { tokens: 7 } });
  await clock.pass(60);
  const ended = await engine.transitionTask(id, "cancelled", { reason: "stop" });
  assert.deepEqual(ended.cancel, { ...cancel, seenAt: requestedAt + 40 });
  assert.deepEqual(await told(engine, id), [
    ["status", { status: "running" }],
    ["cancel", { reason: "stop", by: "u1", graceMs: 3_000 }],
    ["cancel-seen", { afterMs: 40 }],
    ["usage", { tokens: 7 }],
    ["status", { status: "cancelled", reason: "stop", cancel: { stopMs: 100, forced: false } }],
  ]);
});

Deno.test("a producer that does not answer is overruled once the grace is over, in every status", async () => {
  const { clock, open } = setUp();
  await using engine = open();
  const ids: string[] = [];
  for (const status of ["running", "paused", "blocked"] as const) {
    const { id } = await startRunning(engine);
    if (status !== "running") await engine.transitionTask(id, status);
    await engine.cancelTask(id, { reason: "stop" });
    ids.push(id);
  }
  await clock.pass(4_999);
  for (const id of ids) assert.notEqual((await engine.getTask(id))!.status, "cancelled");
  await clock.pass(1);
  for (const id of ids) {
    const task = (await engine.getTask(id))!;
    assert.deepEqual([task.status, task.reason], ["cancelled", "stop"]);
    const last = (await told(engine, id)).at(-1);
    const cancel = { stopMs: 5_000, forced: true };
    assert.deepEqual(last, ["status", { status: "cancelled", reason: "stop", cancel }]);
  }
});

Deno.test("a task that nobody works on is cancelled at once, as is one without grace", async () => {
  const { clock, open } = setUp();
  await using engine = open();
  const waiting = await engine.createTask();
  assert.equal((await engine.cancelTask(waiting.id)).status, "cancelled");
  const leased = await engine.createTask({ lease: { ms: 30_000 } });
  assert.equal((await engine.cancelTask(leased.id)).status, "pending");
  const running = await startRunning(engine);
  const cancelled = await engine.cancelTask(running.id, { graceMs: 0 });
  assert.equal(cancelled.status, "cancelled");
  assert.equal(cancelled.cancel!.deadlineAt, clock.now());
});

Deno.test("a repeated request changes nothing, and another end is not a cancellation", async () => {
  const { clock, open } = setUp();
  await using engine = open();
  const { id } = await startRunning(engine);
  const first = await engine.cancelTask(id, { reason: "first" });
  await clock.pass(10);
  assert.deepEqual(
    (await engine.cancelTask(id, { reason: "second", graceMs: 0 })).cancel,
    first.cancel,
  );
  assert.equal((await told(engine, id)).length, 2);
  await engine.confirmCancel(id);
  const before = await engine.readTask(id);
  await engine.confirmCancel(id);
  assert.deepEqual(await engine.readTask(id), before);
  await engine.transitionTask(id, "cancelled");
  assert.deepEqual((await engine.cancelTask(id)).cancel?.reason, "first");
  await assert.rejects(engine.confirmCancel(id), { code: "TASK_TERMINAL" });

  const done = await startRunning(engine);
  await engine.transitionTask(done.id, "completed");
  await assert.rejects(engine.cancelTask(done.id), { code: "TASK_TERMINAL" });
  const stopped = await startRunning(engine);
  await engine.transitionTask(stopped.id, "cancelled");
  await assert.rejects(engine.cancelTask(stopped.id), { code: "TASK_TERMINAL" });
  await assert.rejects(engine.cancelTask("none"), { code: "TASK_NOT_FOUND" });
  const asked = await startRunning(engine);
  await assert.rejects(engine.confirmCancel(asked.id), { code: "INVALID_TRANSITION" });
});

Deno.test("who does the work confirms, with its lease, and learns of the request when it renews", async () => {
  const { open } = setUp();
  await using engine = open();
  const { id, lease } = await startRunning(engine, { lease: { ms: 30_000 } });
  await engine.cancelTask(id);
  assert.equal((await engine.heartbeat(id, lease!)).state, "stopping");
  await assert.rejects(engine.confirmCancel(id), { code: "LEASE_LOST" });
  await assert.rejects(engine.confirmCancel(id, { lease: "1.other" }), { code: "LEASE_LOST" });
  const seen = await engine.confirmCancel(id, { lease });
  assert.notEqual(seen.cancel!.seenAt, undefined);
});

Deno.test("the ttl may end a task before the grace, and a lost producer ends it as cancelled", async () => {
  const { clock, open } = setUp();
  await using engine = open();
  await clock.pass(30_000);
  const short = await startRunning(engine, {}, 2);
  await engine.cancelTask(short.id);
  const lost = await startRunning(engine, { lease: { ms: 5_000 } });
  await engine.cancelTask(lost.id, { graceMs: 60_000 });
  await clock.pass(5_000);
  assert.equal((await engine.getTask(short.id))!.status, "timeout");
  const { status, error } = (await engine.getTask(lost.id))!;
  assert.deepEqual([status, error], ["cancelled", undefined]);
});

Deno.test("watchCancel() tells a producer on another instance once, also of an earlier request", async () => {
  const { open } = setUp();
  await using here = open();
  await using there = open();
  const { id } = await startRunning(here);
  const seen: (TaskCancel | string)[] = [];
  await there.watchCancel(id, (cancel) => seen.push(cancel.reason!));
  await here.publishEvent(id, { type: "n", data: 1 });
  await here.cancelTask(id, { reason: "stop" });
  await until(() => seen.length > 0, "the producer is told");
  await there.watchCancel(id, (cancel) => seen.push(`again ${cancel.reason}`));
  assert.deepEqual(seen, ["stop", "again stop"]);
});

Deno.test("readers of all tasks see requests as events of the task only", async () => {
  const { clock, open } = setUp();
  await using engine = open();
  const { id } = await startRunning(engine);
  await clock.pass(1);
  const seen: StreamMessage[] = [];
  const stop = new AbortController();
  const reading = (async () => {
    for await (const message of engine.subscribeAll({ signal: stop.signal })) seen.push(message);
  })();
  await clock.pass(1);
  await engine.cancelTask(id, { reason: "stop" });
  await clock.pass(60_000);
  stop.abort();
  await reading;
  const types = seen.map((message) => message.kind === "event" && message.event.type);
  assert.deepEqual(types, ["taskcast:cancel", "taskcast:status"]);
});

Deno.test("property: of many cancels and ends exactly one event ends the task, and in time", async () => {
  for (let seed = 1; seed <= 30; seed++) {
    const random = seededRandom(seed);
    const clock = fakeClock();
    const shared = {
      clock,
      shortTermStore: delayReads(new MemoryShortTermStore(), 1),
      broadcast: lossyBroadcast(new MemoryBroadcastProvider(), { seed }),
    };
    await using one = new TaskEngine(shared);
    await using two = new TaskEngine(shared);
    const either = () => random() < 0.5 ? one : two;
    const { id } = await startRunning(one);
    const refused = (error: unknown) => {
      assert(error instanceof TaskcastError);
      assert(["TASK_TERMINAL", "INVALID_TRANSITION"].includes(error.code), error.code);
    };
    const ends: TaskStatus[] = ["completed", "failed", "cancelled"];
    const steps = Array.from({ length: 12 }, () => {
      const engine = either();
      const dice = random();
      if (dice < 0.4) return () => engine.cancelTask(id, { graceMs: Math.floor(random() * 9_000) });
      if (dice < 0.7) return () => engine.confirmCancel(id);
      if (dice < 0.8) return () => engine.transitionTask(id, ends[Math.floor(random() * 3)]!);
      return () => engine.publishEvent(id, { type: "n", data: 1 });
    });
    steps.push(() => either().cancelTask(id));
    await Promise.all(steps.map((step) => step().then(() => {}, refused)));
    await clock.pass(10_001);
    // Reads answer some turns of the event loop late, and hardly any time passes in them.
    await until(async () => {
      await clock.pass(1);
      return isTerminal((await one.getTask(id))!.status);
    }, `seed ${seed}`);
    const events = await told(one, id);
    const statuses = events.filter(([type]) => type === "status");
    assert.equal(statuses.length, 2, `seed ${seed}`);
    assert.equal(events.filter(([type]) => type === "cancel-seen").length <= 1, true);
    assert.equal(events.at(-1)![0], "status", `seed ${seed}: nothing follows the end`);
  }
});
