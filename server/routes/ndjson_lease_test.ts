import assert from "node:assert/strict";
import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
import { fakeClock } from "../../testing/fake_clock.ts";
import { until } from "../../testing/sse/sse.ts";
import { publishNdjson } from "./ndjson.ts";

const MS = 9_000;

/** Opens a request that publishes lines under a lease, with a clock of its own. */
async function setUp() {
  const clock = fakeClock();
  const engine = new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
    clock,
  });
  await clock.pass(MS); // The instance is old enough to let leases expire.
  const { id } = await engine.createTask();
  const { lease } = await engine.transitionTask(id, "running", { lease: { ms: MS } });
  let renewals = 0;
  const heartbeat = engine.heartbeat.bind(engine);
  engine.heartbeat = (...args) => {
    renewals++;
    return heartbeat(...args);
  };
  const lines = new TransformStream<string, string>();
  const writer = lines.writable.getWriter();
  const request = new Request("http://localhost/", {
    method: "POST",
    body: lines.readable.pipeThrough(new TextEncoderStream()),
  });
  const publishing = publishNdjson(engine, id, request, {
    maxLineBytes: 1_000,
    lease,
    now: () => clock.now(),
    watchEnd: (onEnd) => engine.openEndWatch(id, onEnd),
  });
  publishing.catch(() => {});
  let sent = 0;
  return {
    clock,
    engine,
    id,
    publishing,
    renewals: () => renewals,
    /** Sends a blank line. */
    blank: () => writer.write("\n"),
    /** Sends an event, and returns once it is stored. */
    async event() {
      await writer.write('{"type":"n","data":1}\n');
      sent++;
      await until(
        async () =>
          (await engine.getEvents(id, { filter: { types: ["n"] } })).events.length === sent,
        "the line is stored",
      );
    },
    status: async () => (await engine.getTask(id))!.status,
    async [Symbol.asyncDispose]() {
      await writer.abort().catch(() => {});
      await engine.close();
    },
  };
}

Deno.test("blank lines renew a lease, at most once in a third of its time", async () => {
  await using open = await setUp();
  for (let round = 1; round <= 10; round++) {
    await open.blank();
    await until(() => open.renewals() === round, `renewal ${round}`);
    await open.clock.pass(MS / 3 - 1);
    await open.event();
    assert.equal(open.renewals(), round, "a third of the time has not passed");
    await open.clock.pass(1);
  }
  assert.equal(await open.status(), "running");
});

Deno.test("a silent request renews nothing, and is answered when its task fails", async () => {
  await using open = await setUp();
  await open.event();
  await open.clock.pass(MS - 1);
  assert.equal(await open.status(), "running");
  await open.clock.pass(1);
  assert.equal(await open.status(), "failed");
  assert.equal(open.renewals(), 1);
  const error = await open.publishing.then(() => undefined, (error) => error);
  assert.deepEqual(
    [error.code, error.details.published, error.details.line],
    ["TASK_TERMINAL", 1, 2],
  );
});

Deno.test("a blank line ends the request whose lease another producer took", async () => {
  await using open = await setUp();
  await open.event();
  await open.engine.takeLease(open.id, { ms: MS, take: true });
  await open.clock.pass(MS / 3);
  await open.blank();
  const error = await open.publishing.then(() => undefined, (error) => error);
  assert.deepEqual([error.code, error.details.published], ["LEASE_LOST", 1]);
});

Deno.test("a request under a lease goes on during a request to cancel", async () => {
  await using open = await setUp();
  await open.engine.cancelTask(open.id, { graceMs: 10 * MS });
  for (let round = 0; round < 9; round++) {
    await open.event();
    await open.clock.pass(MS - 1);
  }
  assert.equal(await open.status(), "running");
});
