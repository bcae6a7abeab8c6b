import assert from "node:assert/strict";
import { TaskcastHttpError } from "@taskcast/client/http";
import { TaskcastServerClient } from "@taskcast/server-sdk";
import { scriptedServer } from "../../testing/servers/scripted_server.ts";
import { startAnyServer } from "../../testing/servers/any_server.ts";
import type { AnyServer } from "../../testing/servers/any_server.ts";

const quick = { minDelayMs: 1, maxDelayMs: 2 };

/** A network that loses requests, or the answers to requests that were carried out. */
function badNetwork(lose: (attempt: number) => "answer" | "request" | undefined): typeof fetch {
  let attempt = 0;
  return async (input, init) => {
    const lost = lose(++attempt);
    if (lost === "request") throw new TypeError("connection refused");
    const response = await fetch(input, init);
    if (lost === undefined) return response;
    await response.body?.cancel();
    throw new TypeError("connection reset");
  };
}

/** A network on which the first answer is lost, and the second breaks off in its body. */
function cutNetwork(): typeof fetch {
  let attempt = 0;
  return async (input, init) => {
    const response = await fetch(input, init);
    attempt++;
    if (attempt > 2) return response;
    const text = await response.text();
    if (attempt === 1) throw new TypeError("connection reset");
    let isFirst = true;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (isFirst) controller.enqueue(new TextEncoder().encode(text.slice(0, 20)));
        else controller.error(new TypeError("connection reset"));
        isFirst = false;
      },
    });
    return new Response(body, response);
  };
}

function clientOf(server: AnyServer, network?: typeof fetch): TaskcastServerClient {
  return new TaskcastServerClient({ baseUrl: server.url, retry: quick, fetch: network });
}

function isCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof TaskcastHttpError && error.code === code;
}

Deno.test("every call takes effect once, even if requests and answers are lost", async () => {
  await using server = await startAnyServer();
  const { engine } = server;
  // In each three attempts, one answer is lost, one request is lost, and one succeeds.
  const client = clientOf(
    server,
    badNetwork((n) => n % 3 === 1 ? "answer" : n % 3 === 2 ? "request" : undefined),
  );
  const task = await client.createTask({ type: "job", params: { a: 1 } });
  assert.equal((await client.listTasks()).tasks.length, 1);
  await client.transitionTask(task.id, "running");
  for (let i = 0; i < 5; i++) await client.publishEvent(task.id, { type: "n", data: i });
  await client.publishEvents(task.id, [{ type: "n", data: 5 }, { type: "n", data: 6 }]);
  await client.transitionTask(task.id, "blocked", {
    blockedRequest: { type: "approval", data: { amount: 3 } },
  });
  assert.deepEqual(await client.getRequest(task.id), { type: "approval", data: { amount: 3 } });
  await client.resolve(task.id, { approved: true });
  const ended = await client.transitionTask(task.id, "completed", { result: { ok: 1 } });
  assert.equal(ended.status, "completed");

  const log = await Array.fromAsync(client.history(task.id, { limit: 3 }));
  const received = log.map(({ type, data }) => {
    const { status } = data as { status?: string };
    return type === "n" ? data : status ?? type;
  });
  assert.deepEqual(received, [
    "running",
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    "blocked",
    "taskcast:blocked",
    "taskcast:resolved",
    "running",
    "completed",
  ]);
  assert.equal((await client.getTask(task.id)).lastIndex, log.length - 1);
  await client.deleteTask(task.id);
  assert.equal(await engine.getTask(task.id), undefined);
});

Deno.test("a refusal that breaks off is requested again, and not mistaken for another error", async () => {
  await using server = await startAnyServer();
  const { engine } = server;
  const task = await clientOf(server, cutNetwork()).createTask({ type: "job" });
  assert.equal((await engine.listTasks()).tasks.length, 1);
  const moved = await clientOf(server, cutNetwork()).transitionTask(task.id, "completed");
  assert.equal(moved.status, "completed");
  assert.equal(await clientOf(server, cutNetwork()).deleteTask(task.id), "deleted");
});

Deno.test("a batch in which only some events have their own numbers is stored once", async () => {
  await using server = await startAnyServer();
  const { id } = await server.engine.createTask();
  const client = clientOf(server, badNetwork((n) => n === 1 ? "answer" : undefined));
  const own = { producerId: "mine", producerSeq: 0 };
  const events = [{ type: "n", data: 0 }, { type: "n", data: 1, ...own }, { type: "n", data: 2 }];
  const stored = await client.publishEvents(id, events);
  await client.publishEvent(id, { type: "n", data: 3 });
  assert.deepEqual(stored.map(({ index }) => index), [0, 1, 2]);
  const log = await Array.fromAsync(client.history(id));
  assert.deepEqual(log.map(({ data }) => data), [0, 1, 2, 3]);
});

Deno.test("a change by another caller is not mistaken for a retry", async () => {
  await using server = await startAnyServer();
  const { engine } = server;
  await engine.createTask({ id: "mine" });
  const network = badNetwork((n) => n === 1 ? "request" : undefined);
  await assert.rejects(clientOf(server).createTask({ id: "mine" }), isCode("TASK_EXISTS"));
  await engine.transitionTask("mine", "completed", { result: { by: "another" } });
  await assert.rejects(
    clientOf(server, network).transitionTask("mine", "completed", { result: { by: "me" } }),
    isCode("INVALID_TRANSITION"),
  );
  await assert.rejects(clientOf(server).deleteTask("none"), isCode("TASK_NOT_FOUND"));
});

Deno.test("publishes of one client arrive in the order of their calls", async () => {
  await using server = await startAnyServer();
  const { id } = await server.engine.createTask();
  // One network for each: on a shared one, either client might lose six times in a row.
  const clients = [1, 2].map(() =>
    clientOf(
      server,
      badNetwork((n) => n % 4 === 0 ? "answer" : n % 7 === 0 ? "request" : undefined),
    )
  );
  await Promise.all(
    clients.flatMap((client, c) =>
      Array.from({ length: 50 }, (_, i) => client.publishEvent(id, { type: `client${c}`, data: i }))
    ),
  );
  const { events } = await server.engine.getEvents(id);
  for (const c of [0, 1]) {
    const own = events.filter(({ type }) => type === `client${c}`);
    assert.deepEqual(own.map(({ data }) => data), Array.from({ length: 50 }, (_, i) => i));
  }
  assert.equal(events.length, 100);
});

Deno.test("a publish that is abandoned neither blocks nor duplicates the next one", async () => {
  await using server = await startAnyServer();
  const { id } = await server.engine.createTask();
  let down = true;
  const client = new TaskcastServerClient({
    baseUrl: server.url,
    retry: { ...quick, attempts: 2 },
    fetch: badNetwork(() => down ? "answer" : undefined),
  });
  await assert.rejects(client.publishEvent(id, { type: "n", data: "unknown fate" }), TypeError);
  down = false;
  await client.publishEvent(id, { type: "n", data: "next" });
  const { events } = await server.engine.getEvents(id);
  assert.deepEqual(events.map(({ data }) => data), ["unknown fate", "next"]);
});

Deno.test("a task that is created again under its id accepts events of the same client", async () => {
  await using server = await startAnyServer();
  const client = clientOf(server);
  for (const life of [1, 2]) {
    await client.createTask({ id: "t" });
    for (let i = 0; i < 3; i++) await client.publishEvent("t", { type: "n", data: [life, i] });
    const { events } = await server.engine.getEvents("t");
    assert.deepEqual(events.map(({ data }) => data), [[life, 0], [life, 1], [life, 2]]);
    await client.deleteTask("t");
  }
});

Deno.test("errors are typed, and refusals are not retried", async () => {
  await using server = await startAnyServer();
  let attempts = 0;
  const client = clientOf(server, (input, init) => {
    attempts++;
    return fetch(input, init);
  });
  const { id } = await client.createTask();
  attempts = 0;
  const refusals: [() => Promise<unknown>, code: string, status: number][] = [
    [() => client.getTask("none"), "TASK_NOT_FOUND", 404],
    [() => client.getRequest(id), "NO_BLOCKED_REQUEST", 404],
    [() => client.resolve(id, 1), "INVALID_TRANSITION", 409],
    [() => client.createTask({ id: "a b" }), "INVALID_INPUT", 400],
    [() => client.publishEvent(id, { type: "taskcast:x", data: 1 }), "INVALID_INPUT", 400],
    [() => client.publishEvent("none", { type: "x", data: 1 }), "TASK_NOT_FOUND", 404],
  ];
  for (const [call, code, status] of refusals) {
    await assert.rejects(call(), (error) => {
      assert(error instanceof TaskcastHttpError);
      assert.deepEqual([error.code, error.status], [code, status]);
      return error.message.length > 10;
    });
  }
  assert.equal(attempts, refusals.length);
});

Deno.test("a busy server is called again after its Retry-After, a limited number of times", async () => {
  const busy = () => new Response("", { status: 503, headers: { "retry-after": "0" } });
  await using server = scriptedServer(
    busy,
    () => new Response("", { status: 429, headers: { "retry-after": "0" } }),
    () => Response.json({ tasks: [] }),
  );
  const client = new TaskcastServerClient({ baseUrl: server.url, retry: quick });
  assert.deepEqual(await client.listTasks(), { tasks: [] });
  await using down = scriptedServer(busy);
  const other = new TaskcastServerClient({ baseUrl: down.url, retry: { ...quick, attempts: 3 } });
  await assert.rejects(other.listTasks(), isCode("STORE_UNAVAILABLE"));
  assert.equal(down.requests.length, 3);
});

Deno.test("a request without an answer times out", async () => {
  await using server = scriptedServer(
    () => new Promise<Response>(() => {}),
    () => Response.json({ tasks: [] }),
  );
  const client = new TaskcastServerClient({ baseUrl: server.url, retry: quick, timeoutMs: 50 });
  assert.deepEqual(await client.listTasks(), { tasks: [] });
});

Deno.test("tokens and service keys are sent, and tasks() goes through all pages", async () => {
  await using server = await startAnyServer({
    app: { trustedServices: { backend: "k".repeat(32) } },
  });
  const client = new TaskcastServerClient({ baseUrl: server.url, serviceKey: "k".repeat(32) });
  const ids = new Set<string>();
  for (let i = 0; i < 7; i++) ids.add((await client.createTask({ tags: ["x"] })).id);
  const listed = await Array.fromAsync(client.tasks({ tag: "x", limit: 3 }));
  assert.deepEqual(new Set(listed.map(({ id }) => id)), ids);
  const wrong = new TaskcastServerClient({ baseUrl: server.url, serviceKey: "wrong".repeat(8) });
  await assert.rejects(wrong.createTask(), isCode("UNAUTHORIZED"));
  const { ticket, expiresAt } = await client.createTicket([...ids][0]!, { expiresInMs: 5_000 });
  assert(ticket.length > 20 && expiresAt > Date.now());
});

Deno.test("a client refuses an address that is not an HTTP URL", () => {
  for (const baseUrl of ["localhost:3721", "/taskcast", "ftp://localhost", undefined]) {
    assert.throws(() => new TaskcastServerClient({ baseUrl: baseUrl as string }), {
      name: "TypeError",
      message: '"baseUrl" must begin with http:// or https://',
    });
  }
});

Deno.test("cancelTask() asks a task to stop", async () => {
  await using server = await startAnyServer();
  const producer = new TaskcastServerClient({ baseUrl: server.url });
  const { id } = await producer.createTask();
  assert.equal((await producer.cancelTask(id, { reason: "enough" })).status, "cancelled");
});
