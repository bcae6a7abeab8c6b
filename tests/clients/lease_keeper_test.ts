import assert from "node:assert/strict";
import { LeaseLostError, TaskcastServerClient } from "@taskcast/server-sdk";
import { until } from "../../testing/sse/sse.ts";
import { startServer } from "../../testing/servers/test_server.ts";

// Leases that the server client keeps for a producer.

const LEASE = { lease: { ms: 5_000 } };
const quick = { minDelayMs: 1, maxDelayMs: 2 };

Deno.test("keepLease() renews a lease until it is stopped", async () => {
  await using server = startServer();
  let renewals = 0;
  const taskcast = new TaskcastServerClient({
    baseUrl: server.url,
    fetch: (input, init) => {
      if (String(input).endsWith("/leases")) renewals++;
      return fetch(input, init);
    },
  });
  const { id } = await taskcast.createTask();
  const task = await taskcast.transitionTask(id, "running", LEASE);
  const keeper = taskcast.keepLease(task, { everyMs: 5 });
  await until(() => renewals >= 3, "the lease is renewed");
  const [renewed] = await taskcast.renewLeases([{ taskId: id, lease: task.lease! }]);
  assert.equal(renewed!.state, "held");
  assert(renewed!.leaseUntil! > task.leaseUntil!);
  await taskcast.transitionTask(id, "completed");
  keeper.stop();
  assert(!keeper.signal.aborted && !keeper.cancelSignal.aborted);
  assert.throws(() => taskcast.keepLease({ ...task, lease: undefined }), TypeError);
});

Deno.test("a producer is told that its lease is lost, or that its task ended or was deleted", async () => {
  await using server = startServer();
  const taskcast = new TaskcastServerClient({ baseUrl: server.url });
  const keep = async (change: (id: string) => Promise<unknown>) => {
    const { id } = await taskcast.createTask();
    const task = await taskcast.transitionTask(id, "running", LEASE);
    using keeper = taskcast.keepLease(task, { everyMs: 5 });
    await change(id);
    await until(() => keeper.signal.aborted, "the producer is told");
    assert(keeper.signal.reason instanceof LeaseLostError);
    return keeper.signal.reason.state;
  };
  assert.equal(await keep((id) => taskcast.takeLease(id, { ms: 5_000, take: true })), "lost");
  assert.equal(await keep((id) => taskcast.transitionTask(id, "failed")), "failed");
  assert.equal(await keep((id) => taskcast.deleteTask(id)), "deleted");
});

Deno.test("a producer is told that somebody asked the task to stop, and confirms it", async () => {
  await using server = startServer();
  const taskcast = new TaskcastServerClient({ baseUrl: server.url });
  const { id } = await taskcast.createTask();
  const task = await taskcast.transitionTask(id, "running", LEASE);
  using keeper = taskcast.keepLease(task, { everyMs: 5 });
  await taskcast.cancelTask(id, { graceMs: 60_000 });
  await until(() => keeper.cancelSignal.aborted, "the producer is told");
  await until(
    async () => (await taskcast.getTask(id)).cancel?.seenAt !== undefined,
    "the receipt is there",
  );
  assert(!keeper.signal.aborted, "it still holds the lease");
  const ended = await taskcast.transitionTask(id, "cancelled", { result: { part: 1 } });
  assert.deepEqual(ended.result, { part: 1 });
});

Deno.test("a lease whose grant was carried out, and its answer lost, is held all the same", async () => {
  await using server = startServer();
  let isLost = false;
  const taskcast = new TaskcastServerClient({
    baseUrl: server.url,
    retry: quick,
    fetch: async (input, init) => {
      const response = await fetch(input, init);
      if (isLost || (init?.method !== "PATCH" && !String(input).endsWith("/tasks"))) {
        return response;
      }
      isLost = true;
      await response.body?.cancel();
      throw new TypeError("connection reset");
    },
  });
  const created = await taskcast.createTask(LEASE);
  const state = async ({ id, lease }: { id: string; lease?: string }) =>
    (await server.engine.heartbeat(id, lease!)).state;
  assert.equal(await state(created), "held");
  isLost = false;
  const running = await taskcast.transitionTask(created.id, "running", LEASE);
  assert.equal(await state(running), "held");
});

Deno.test("an outage ends no lease on the producer's side, and a refusal does", async () => {
  await using server = startServer();
  let answer: "outage" | "refusal" | undefined;
  const taskcast = new TaskcastServerClient({
    baseUrl: server.url,
    fetch: async (input, init) => {
      if (answer === undefined || !String(input).endsWith("/leases")) {
        return await fetch(input, init);
      }
      if (answer === "outage") throw new TypeError("connection refused");
      const error = { code: "FORBIDDEN", message: "no" };
      return Response.json({ error }, { status: 403 });
    },
  });
  const { id } = await taskcast.createTask();
  const task = await taskcast.transitionTask(id, "running", LEASE);
  let failed = 0;
  using keeper = taskcast.keepLease(task, { everyMs: 5 });
  answer = "outage";
  await until(() => ++failed > 20, "some renewals have failed");
  assert(!keeper.signal.aborted);
  answer = "refusal";
  await until(() => keeper.signal.aborted, "the refusal is told");
  assert.equal(keeper.signal.reason.code, "FORBIDDEN");
});
