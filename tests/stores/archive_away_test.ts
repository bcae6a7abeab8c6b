import assert from "node:assert/strict";
import { createPostgresAdapter } from "@taskcast/postgres";
import { TaskcastServerClient } from "@taskcast/server-sdk";
import { MemoryBroadcastProvider, MemoryLongTermStore, MemoryShortTermStore } from "@taskcast/core";
import { startCli } from "../../testing/servers/cli.ts";
import { leftOut } from "../../testing/left_out.ts";
import { hasPostgres, startPostgres } from "../../testing/databases/postgres_server.ts";
import { redisProgram, startRedis } from "../../testing/databases/redis_server.ts";
import { until } from "../../testing/sse/sse.ts";
import { startServer } from "../../testing/servers/test_server.ts";

// A server whose archive is unavailable, as its callers and its operators see it.

const hasAll = await redisProgram() !== undefined && await hasPostgres();
if (!hasAll) leftOut("the test of an archive that is away", "redis-server, postgres and initdb");
const test = hasAll ? Deno.test : () => {};

test("a hanging archive does not block create, list, delete or readiness", async () => {
  await using redis = await startRedis();
  await using archive = await startPostgres();
  const env = { TASKCAST_REDIS_URL: redis.url, TASKCAST_POSTGRES_URL: archive.url };
  await using server = await startCli(["start", "--port", "0"], env);
  const client = new TaskcastServerClient({ baseUrl: server.url });
  const call = async (method: string, path: string, body?: unknown) => {
    const startMs = performance.now();
    const response = await fetch(`${server.url}${path}`, {
      method,
      ...(body !== undefined && {
        body: JSON.stringify(body),
        headers: { "content-type": "application/json" },
      }),
    });
    const text = await response.text();
    const ms = performance.now() - startMs;
    return { status: response.status, body: text === "" ? undefined : JSON.parse(text), ms };
  };
  assert.equal((await call("POST", "/tasks", { id: "gone" })).status, 201);
  await client.publishEvent("gone", { type: "n", data: 1 });
  const store = await createPostgresAdapter({ url: archive.url });
  await until(async () => (await store.getTask("gone"))?.length === 1, "it is archived");
  await store.close();
  assert.equal((await call("GET", "/health/ready")).body.status, "ready");

  await archive.signal("SIGSTOP");
  const ready = await call("GET", "/health/ready");
  assert(ready.status === 200 && ready.ms < 1_000, `${ready.status} in ${ready.ms} ms`);
  const { id } = await client.createTask({ type: "by-sdk" }); // Has an id of its own.
  await client.publishEvent(id, { type: "n", data: 1 });
  assert.equal((await call("POST", "/tasks", { id: "own" })).status, 201);
  assert.equal((await call("POST", "/tasks", { id: "own" })).status, 409);
  const listed = await call("GET", "/tasks");
  assert.equal(listed.status, 200);
  assert.equal(listed.body.partial, true);
  assert.deepEqual(
    listed.body.tasks.map((task: { id: string }) => task.id).toSorted(),
    ["gone", id, "own"].toSorted(),
  );
  assert.deepEqual(await client.deleteTask("gone"), "pending");
  assert.equal((await call("GET", "/tasks/gone")).status, 404);
  assert.equal((await call("POST", "/tasks", { id: "gone" })).status, 409);
  assert.equal((await call("DELETE", "/tasks/gone")).status, 404);
  await until(
    async () => (await call("GET", "/health/ready")).body.status === "degraded",
    "it is degraded",
  );
  assert((await call("GET", "/health/ready")).ms < 1_000);

  await archive.signal("SIGCONT");
  await until(
    async () => (await call("POST", "/tasks", { id: "gone" })).status === 201,
    "it is free",
  );
  await until(
    async () => (await call("GET", "/tasks")).body.partial === undefined,
    "all displaced tasks are listed",
  );
  const events = await Array.fromAsync(client.history("gone"));
  assert.deepEqual(events, []);
});

Deno.test("displaced tasks are listed, exported by incarnation, and deleted", async () => {
  const longTermStore = new MemoryLongTermStore();
  const ask = longTermStore.getTask.bind(longTermStore);
  const make = () =>
    startServer({
      engine: {
        broadcast: new MemoryBroadcastProvider(),
        shortTermStore: new MemoryShortTermStore(),
        longTermStore,
        options: { archiveDelayMs: 0 },
      },
    });
  {
    await using first = make();
    await first.engine.createTask({ id: "t", type: "older" });
    await first.engine.publishEvents("t", [1, 2, 3].map((data) => ({ type: "n", data })));
    await until(async () => (await ask("t"))?.length === 3, "it is archived");
  }
  // Another store, as after a restart; nothing shows that the id is taken.
  await using server = make();
  longTermStore.getTask = () => Promise.reject(new Error("away"));
  assert.equal((await server.call("POST", "/tasks", { id: "t", type: "newer" })).status, 201);
  longTermStore.getTask = ask;
  await until(() => Promise.resolve(server.engine.stats.tasksDisplaced === 1), "the id is free");
  const list = await server.call("GET", "/displaced");
  assert.equal(list.status, 200);
  const [{ task, incarnation }] = list.body.tasks;
  assert.deepEqual([task.id, task.type], ["t", "older"]);
  const next = await server.call("GET", "/displaced?limit=1");
  const last = await server.call("GET", `/displaced?limit=1&cursor=${next.body.nextCursor}`);
  assert.deepEqual(last.body, { tasks: [] });
  const query = `taskId=t&incarnation=${incarnation}`;
  const exported = await (await fetch(`${server.url}/displaced/export?${query}`)).text();
  const [head, ...lines] = exported.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(head, { task, incarnation });
  assert.deepEqual(lines.map(({ taskId, data }) => [taskId, data]), [["t", 1], ["t", 2], ["t", 3]]);
  assert.equal((await server.call("GET", "/tasks/t")).body.type, "newer");
  const { body: { counters } } = await server.call("GET", "/health/detail");
  assert.equal(counters.tasksDisplaced, 1);
  assert.equal((await server.call("DELETE", `/displaced?${query}`)).status, 204);
  assert.equal((await server.call("DELETE", `/displaced?${query}`)).status, 404);
  assert.equal((await server.call("GET", "/displaced/export?taskId=t")).status, 400);
  assert.equal((await server.call("GET", "/displaced?cursor=x")).status, 400);
});
