import assert from "node:assert/strict";
import { LeaseLostError, TaskcastServerClient } from "@taskcast/server-sdk";
import { startServer } from "../../testing/servers/test_server.ts";
import { until } from "../../testing/sse/sse.ts";

// Publishers that publish under a lease.

const LEASE = { lease: { ms: 5_000 } };
const quick = { minDelayMs: 1, maxDelayMs: 2 };

Deno.test("a publisher with a lease sends blank lines while nothing is published", async () => {
  let received = "";
  let header: string | null = null;
  const taskcast = new TaskcastServerClient({
    baseUrl: "http://localhost:3721",
    fetch: async (_, init) => {
      header = new Headers(init!.headers).get("taskcast-lease");
      const body = (init!.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream());
      let published = 0;
      for await (const text of body) {
        received += text;
        if (text !== "\n") published++;
      }
      return Response.json({ published, lastIndex: published - 1 });
    },
  });
  const publisher = taskcast.openPublisher("t", { lease: "1.token", leaseMs: 15 });
  await until(() => /^\n{3,}$/.test(received), "blank lines arrive");
  await publisher.publish({ type: "a", data: null });
  await until(() => /\}\n{3,}$/.test(received), "blank lines follow an event");
  assert.deepEqual(await publisher.close(), { published: 1, lastIndex: 0 });
  assert.equal(header, "1.token");
});

Deno.test("a publisher without a lease sends nothing while nothing is published", async () => {
  let received = "";
  const taskcast = new TaskcastServerClient({
    baseUrl: "http://localhost:3721",
    fetch: async (_, init) => {
      assert.equal(new Headers(init!.headers).get("taskcast-lease"), null);
      received = await new Response(init!.body).text();
      return Response.json({ published: 1, lastIndex: 0 });
    },
  });
  const publisher = taskcast.openPublisher("t", { leaseMs: 1 });
  await publisher.publish({ type: "a", data: null });
  await publisher.close();
  assert.match(received, /^\{.*\}\n$/);
});

Deno.test("each request of a silent publisher renews the lease on the server, also after a broken one", async () => {
  await using server = startServer();
  const { engine } = server;
  const heartbeat = engine.heartbeat.bind(engine);
  let renewals = 0;
  engine.heartbeat = (...args) => {
    renewals++;
    return heartbeat(...args);
  };
  let broken = 0;
  const taskcast = new TaskcastServerClient({
    baseUrl: server.url,
    retry: quick,
    fetch: async (input, init) => {
      if (!String(input).endsWith("/events") || ++broken > 2) return await fetch(input, init);
      throw new TypeError("connection reset");
    },
  });
  const { id, lease } = await taskcast.createTask(LEASE);
  await taskcast.transitionTask(id, "running");
  // So long that only the beginning of a request can renew it within this test.
  const publisher = taskcast.openPublisher(id, { lease, leaseMs: 3_600_000 });
  await until(() => renewals > 0, "the lease is renewed");
  await publisher.publish({ type: "a", data: null });
  assert.equal((await publisher.close()).published, 1);
  assert.equal((await engine.heartbeat(id, lease!)).state, "held");
});

Deno.test("a publisher ends with LeaseLostError when another producer takes the task", async () => {
  await using server = startServer();
  const taskcast = new TaskcastServerClient({ baseUrl: server.url, retry: quick });
  const { id } = await taskcast.createTask();
  const { lease } = await taskcast.transitionTask(id, "running", LEASE);
  const publisher = taskcast.openPublisher(id, { lease, leaseMs: 5_000 });
  await publisher.publish({ type: "a", data: null });
  await publisher.flush();
  await taskcast.takeLease(id, { ms: 5_000, take: true });
  await publisher.publish({ type: "b", data: null });
  await assert.rejects(publisher.flush(), LeaseLostError);
  assert.equal(publisher.signal.reason.state, "lost");
  await assert.rejects(publisher.close(), LeaseLostError);
  const types: string[] = [];
  for await (const { type } of taskcast.history(id)) types.push(type);
  assert(types.includes("a") && !types.includes("b"));
});
