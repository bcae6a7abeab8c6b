import assert from "node:assert/strict";
import type { TaskcastClientOptions } from "@taskcast/client";
import { TaskcastClient, TaskcastHttpError } from "@taskcast/client";
import { EventSource } from "eventsource";
import { seededRandom } from "../../core/conformance/seeded_random.ts";
import { cuttingProxy } from "../../testing/network/cutting_proxy.ts";
import {
  doneFrame,
  eventFrame,
  scriptedServer,
  sse,
} from "../../testing/servers/scripted_server.ts";
import { until } from "../../testing/sse/sse.ts";
import { startServer } from "../../testing/servers/test_server.ts";

const quick = { minDelayMs: 1, maxDelayMs: 4, random: () => 0.999 };

function clientOf(
  { url }: { url: string },
  options: Partial<TaskcastClientOptions> = {},
): TaskcastClient {
  return new TaskcastClient({
    baseUrl: url,
    connection: quick,
    transport: "eventsource",
    EventSource,
    ...options,
  });
}

/** A `fetch` that returns answers only as a whole, without a stream. */
const wholeFetch: typeof fetch = async (input, init) => {
  const response = await fetch(input, init);
  Object.defineProperty(response, "body", { value: undefined });
  return response;
};

function withParams(url: string): { path: string; since: string | null; ticket: string | null } {
  const { pathname, searchParams } = new URL(url);
  return {
    path: pathname,
    since: searchParams.get("since.id"),
    ticket: searchParams.get("ticket"),
  };
}

Deno.test("EventSource: over connections that break at any byte, nothing is lost or doubled", async () => {
  await using server = startServer();
  const random = seededRandom(12);
  let budget = 800;
  await using proxy = cuttingProxy(server.url, () => (budget += 300) * random());
  const { id } = await server.engine.createTask();
  const plain: number[] = [];
  let text = "";
  const following = clientOf(proxy).subscribe(id, {
    onEvent({ type, data }, view) {
      if (type === "note") plain.push(data as number);
      text = view.text("answer");
    },
    onError: (error, { fatal }) => assert(!fatal, String(error)),
  });
  let expected = "";
  for (let i = 0; i < 200; i++) {
    const delta = `${i} привет 🎉;`;
    expected += delta;
    await server.engine.publishEvents(id, [
      { type: "note", data: i },
      { type: "llm.delta", data: { delta }, seriesId: "answer", seriesMode: "accumulate" },
    ]);
    if (i % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await server.engine.transitionTask(id, "completed");
  await following;
  assert(proxy.cuts > 5, `${proxy.cuts} cuts`);
  assert.equal(text, expected);
  assert.deepEqual(plain, Array.from({ length: 200 }, (_, i) => i));
});

Deno.test("EventSource: with a token each connection gets its own ticket, and continues at its cursor", async () => {
  let tickets = 0;
  const ticket = () =>
    Response.json({ ticket: `ticket-${++tickets}`, expiresAt: 0 }, { status: 201 });
  await using server = scriptedServer(
    ticket,
    sse(eventFrame("c1", 1)),
    ticket,
    sse(eventFrame("c2", 2), doneFrame("c3")),
  );
  const seen: unknown[] = [];
  await clientOf(server, { token: "secret" }).subscribe("t", {
    onEvent: ({ data }) => seen.push(data),
    onError: (error, { fatal }) => assert(!fatal, String(error)),
  });
  assert.deepEqual(seen, [1, 2]);
  assert.deepEqual(server.requests.map(({ url }) => withParams(url)), [
    { path: "/tasks/t/tickets", since: null, ticket: null },
    { path: "/tasks/t/events", since: null, ticket: "ticket-1" },
    { path: "/tasks/t/tickets", since: null, ticket: null },
    { path: "/tasks/t/events", since: "c1", ticket: "ticket-2" },
  ]);
  assert.deepEqual(
    server.requests.map(({ headers }) => headers.get("authorization")),
    ["Bearer secret", null, "Bearer secret", null],
  );
});

Deno.test("EventSource: without credentials no ticket is requested", async () => {
  await using server = scriptedServer(sse(doneFrame("c1")));
  await clientOf(server).subscribe("t");
  assert.deepEqual(server.requests.map(({ url }) => withParams(url)), [
    { path: "/tasks/t/events", since: null, ticket: null },
  ]);
});

Deno.test("EventSource: a final refusal is reported with its reason", async () => {
  await using server = startServer();
  const isNotFound = (error: unknown) =>
    error instanceof TaskcastHttpError && error.code === "TASK_NOT_FOUND" && error.status === 404;
  await assert.rejects(clientOf(server).subscribe("none"), isNotFound);
  await assert.rejects(clientOf(server, { token: "x" }).subscribe("none"), isNotFound);

  await using refusing = scriptedServer(() => new Response("no", { status: 401 }));
  await assert.rejects(
    clientOf(refusing, { token: "refused" }).subscribe("t"),
    (error) => error instanceof TaskcastHttpError && error.code === "UNAUTHORIZED",
  );
});

Deno.test("EventSource: an overloaded server is called again after its Retry-After", async () => {
  const busy = () => new Response("", { status: 503, headers: { "retry-after": "0" } });
  await using server = scriptedServer(busy, busy, sse(eventFrame("c1", 1), doneFrame("c2")));
  const seen: unknown[] = [];
  const waits: (number | undefined)[] = [];
  await clientOf(server).subscribe("t", {
    onEvent: ({ data }) => seen.push(data),
    onError: (_, { retryInMs }) => waits.push(retryInMs),
  });
  assert.deepEqual(seen, [1]);
  assert.deepEqual(waits.map((ms) => ms?.toFixed(2)), ["1.00"], "never without a pause");
});

Deno.test("EventSource: the final cursor still yields the reason of the end", async () => {
  await using server = startServer();
  const { id } = await server.engine.createTask();
  await server.engine.transitionTask(id, "cancelled");
  const client = clientOf(server);
  const first = client.stream(id);
  await Array.fromAsync(first);
  const second = client.stream(id, { since: { id: first.cursor! } });
  assert.deepEqual(await Array.fromAsync(second), []);
  assert.equal(second.reason, "cancelled");
});

Deno.test("EventSource: each connection makes progress with any bound", async () => {
  await using server = startServer();
  const { id } = await server.engine.createTask();
  for (let i = 0; i < 20; i++) await server.engine.publishEvent(id, { type: "n", data: i });
  await server.engine.transitionTask(id, "completed");
  const stream = clientOf(server, { connection: { ...quick, maxBufferedChars: 1 } })
    .stream(id, { filter: { types: ["n"] } });
  const seen = (await Array.fromAsync(stream)).map(({ data }) => data);
  assert.deepEqual(seen, Array.from({ length: 20 }, (_, i) => i));
});

Deno.test("EventSource: a slow reader buffers a bounded part, and gets everything", async () => {
  await using server = startServer();
  const { id } = await server.engine.createTask();
  let connections = 0;
  class Counted extends EventSource {
    constructor(url: string) {
      super(url);
      connections++;
    }
  }
  const client = clientOf(server, {
    EventSource: Counted,
    connection: { ...quick, maxBufferedChars: 5_000 },
  });
  for (let i = 0; i < 200; i++) await server.engine.publishEvent(id, { type: "n", data: i });
  await server.engine.transitionTask(id, "completed");
  const seen: unknown[] = [];
  const stream = client.stream(id, {
    filter: { types: ["n"] },
    onReconnect: (error) => assert.fail(String(error)),
  });
  for await (const { data } of stream) seen.push(data);
  assert.deepEqual(seen, Array.from({ length: 200 }, (_, i) => i));
  assert(connections > 3, `${connections} connections: what was unread was given up`);
});

Deno.test("EventSource: a silent connection is replaced without an error", async () => {
  await using server = startServer();
  const { id } = await server.engine.createTask();
  let connections = 0;
  class Counted extends EventSource {
    constructor(url: string) {
      super(url);
      connections++;
    }
  }
  const seen: unknown[] = [];
  const following = clientOf(server, {
    EventSource: Counted,
    connection: { ...quick, idleTimeoutMs: 60 },
  }).subscribe(id, {
    filter: { types: ["n"] },
    onEvent: ({ data }) => seen.push(data),
    onError: (error) => assert.fail(String(error)),
  });
  await until(() => connections > 2, "it was replaced twice");
  await server.engine.publishEvent(id, { type: "n", data: 1 });
  await server.engine.transitionTask(id, "completed");
  await following;
  assert.deepEqual(seen, [1]);
  await until(() => server.engine.stats.streams === 0, "all are closed");
});

Deno.test("EventSource: an abort closes it", async () => {
  await using server = startServer();
  const { id } = await server.engine.createTask();
  const controller = new AbortController();
  const following = clientOf(server).subscribe(id, {
    signal: controller.signal,
    onError: (error) => assert.fail(String(error)),
  });
  await until(() => server.engine.stats.streams === 1, "it is connected");
  controller.abort();
  await following;
  await until(() => server.engine.stats.streams === 0, "it is closed");
});

Deno.test("auto: uses EventSource if fetch does not stream, and does not try fetch again", async () => {
  await using server = startServer();
  let asked = 0;
  const client = clientOf(server, {
    transport: "auto",
    fetch: (input, init) => {
      asked++;
      return wholeFetch(input, init);
    },
  });
  for (let i = 0; i < 2; i++) {
    const { id } = await server.engine.createTask();
    await server.engine.publishEvent(id, { type: "n", data: i });
    await server.engine.transitionTask(id, "completed");
    const seen: unknown[] = [];
    await client.subscribe(id, {
      filter: { types: ["n"] },
      onEvent: ({ data }) => seen.push(data),
    });
    assert.deepEqual(seen, [i]);
  }
  assert.equal(asked, 1);
});

Deno.test("transport: an unknown transport is refused with the known ones", async () => {
  const baseUrl = "http://localhost:1";
  // deno-lint-ignore no-explicit-any
  assert.throws(() => new TaskcastClient({ baseUrl, transport: "ws" as any }), /no transport "ws"/);
  await using server = startServer();
  const { id } = await server.engine.createTask();
  await server.engine.transitionTask(id, "completed");
  const client = clientOf(server, { transport: "fetch", fetch: wholeFetch });
  await assert.rejects(
    client.subscribe(id),
    (error) => error instanceof TaskcastHttpError && error.code === "NOT_SUPPORTED",
  );
  for (const connection of [{ idleTimeoutMs: 0 }, { maxBufferedChars: -1 }]) {
    assert.throws(() => new TaskcastClient({ baseUrl, connection }), RangeError);
  }
});
