import assert from "node:assert/strict";
import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
import type { AnsweredRequest } from "@taskcast/server";
import { createTaskcastApp } from "@taskcast/server";
import { Hono } from "hono";
import { startAnyServer } from "../../testing/servers/any_server.ts";

const MADE = /^[0-9a-f-]{36}$/;

Deno.test("every answer has the request's id if it is valid, else a generated one", async () => {
  await using server = await startAnyServer({ app: { cors: { origin: "*" } } });
  await server.call("POST", "/tasks", { id: "t" });
  const idOf = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(server.url + path, init);
    await response.body?.cancel();
    return response.headers.get("x-request-id") ?? "";
  };
  const given = { "x-request-id": "trace_1.a-B" };
  assert.equal(await idOf("/tasks/t", { headers: given }), "trace_1.a-B");
  assert.equal(await idOf("/tasks/t/events", { headers: given }), "trace_1.a-B", "a stream");
  assert.equal(await idOf("/tasks/none", { headers: given }), "trace_1.a-B", "an error");
  assert.equal(await idOf("/nowhere", { headers: given }), "trace_1.a-B", "no route");
  assert.equal(await idOf("/health", { method: "DELETE", headers: given }), "trace_1.a-B");
  assert.equal(await idOf("/tasks", { method: "OPTIONS", headers: given }), "trace_1.a-B");
  assert.equal(await idOf("/docs", { headers: given }), "trace_1.a-B");
  for (const bad of ["a b", "x".repeat(129), "{}", ""]) {
    assert.match(await idOf("/health", { headers: { "x-request-id": bad } }), MADE, bad);
  }
  assert.notEqual(await idOf("/health"), await idOf("/health"));
  assert.equal(
    (await idOf("/health", { headers: { "x-request-id": "x".repeat(128) } })).length,
    128,
  );
});

Deno.test("an error of the server has the request's id, for its caller and its host", async () => {
  const store = new MemoryShortTermStore();
  store.getTask = () => Promise.reject(new Error("secret"));
  const reported: unknown[] = [];
  await using engine = new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: store,
    hooks: { onUnhandledError: (_error, context) => void reported.push(context) },
  });
  const answered: AnsweredRequest[] = [];
  const app = createTaskcastApp({ engine, onAnswered: (one) => answered.push(one) });
  const mounted = new Hono().route("/base", app);
  const headers = { "x-request-id": "r1" };
  for (
    const [host, path] of [[app, "/tasks/t?_ticket=s"], [mounted, "/base/tasks/t?_x=y"]] as const
  ) {
    const response = await host.request(path, { headers });
    assert.equal(response.status, 500);
    assert.equal(response.headers.get("x-request-id"), "r1");
    const { error } = await response.json();
    assert.deepEqual(error.details, { requestId: "r1" });
  }
  const context = { operation: "GET /tasks/{id}", taskId: "t", requestId: "r1" };
  assert.deepEqual(reported, [context, context]);
  assert.equal(answered.length, 2);
  const { durationMs, ...rest } = answered[0]!;
  assert.deepEqual(rest, {
    requestId: "r1",
    method: "GET",
    route: "/tasks/{id}",
    taskId: "t",
    status: 500,
  });
  assert(durationMs >= 0);
});
