import assert from "node:assert/strict";
import type { TaskcastAppOptions } from "@taskcast/server";
import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
import { createTaskcastApp } from "@taskcast/server";

// A parameter that filters is applied or refused: if it were ignored, everything would be returned.

async function open(options: Partial<TaskcastAppOptions> = {}) {
  const engine = new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
  });
  await engine.createTask({ id: "t", type: "a.b", tags: ["x"] });
  await engine.publishEvents("t", ["a", "b", "c"].map((type) => ({ type, data: 1 })));
  await engine.transitionTask("t", "completed");
  const app = createTaskcastApp({ engine, ...options });
  return {
    engine,
    async get(path: string): Promise<[status: number, body: unknown]> {
      const response = await app.request(path);
      const text = await response.text();
      return [response.status, response.ok ? text : JSON.parse(text).error.message];
    },
    async request(method: string, path: string): Promise<number> {
      const response = await app.request(path, { method });
      await response.body?.cancel();
      return response.status;
    },
    [Symbol.asyncDispose]: () => engine.close(),
  };
}

Deno.test("a list may be repeated, in pieces and with commas", async () => {
  await using server = await open();
  const types = async (query: string) => {
    const [status, body] = await server.get(`/tasks/t/events/history?${query}`);
    assert.equal(status, 200, `${query}: ${body}`);
    return JSON.parse(body as string).map(({ type }: { type: string }) => type).join();
  };
  assert.equal(await types("types=a&types=b"), "a,b");
  assert.equal(await types("types=a,b&types=c"), "a,b,c");
  assert.equal(await types("types=a&types="), "a");
  assert.equal(await types("types=b,%20a&levels=info,%20warn"), "a,b");
  assert.equal(await types("types=a&levels=warn&levels=info"), "a");
  const [, stream] = await server.get("/tasks/t/events?types=a&types=c&includeStatus=false");
  assert.deepEqual(
    [...(stream as string).matchAll(/"type":"(\w+)"/g)].map(([, type]) => type),
    ["a", "c"],
  );
  // Libraries append their cursors one after the other; the last one counts.
  const ids = [...(stream as string).matchAll(/^id: (.*)$/gm)].map(([, id]) => id);
  const [, rest] = await server.get(
    `/tasks/t/events?lastEventId=${ids[0]}&lastEventId=${ids.at(-2)}`,
  );
  assert.doesNotMatch(rest as string, /"type":"[abc]"/);
  for (const query of ["status=running&status=completed", "type=z&type=a.*", "tag=x"]) {
    const [status, body] = await server.get(`/tasks?${query}`);
    assert.deepEqual([status, JSON.parse(body as string).tasks.length], [200, 1], query);
  }
});

Deno.test("an unknown parameter is refused with a suggestion", async () => {
  await using server = await open();
  const cases: [path: string, message: string][] = [
    ["/tasks/t/events?types[]=a", '"types[]" is not known; did you mean "types"?'],
    ["/tasks/t/events?types%5B%5D=a", '"types[]" is not known; did you mean "types"?'],
    ["/tasks/t/events?type=a", '"type" is not known; did you mean "types"?'],
    ["/tasks/t/events?Types=a", '"Types" is not known; did you mean "types"?'],
    ["/tasks/t/events?since=zzz", '"since" is not known; did you mean "since.id"?'],
    ["/tasks/t/events?since[index]=1", '"since[index]" is not known; did you mean "since.index"?'],
    [
      "/tasks/t/events?include_status=0",
      '"include_status" is not known; did you mean "includeStatus"?',
    ],
    ["/tasks/t/events/history?typ=a", '"typ" is not known; did you mean "types"?'],
    ["/events?taskId=t", '"taskId" is not known; did you mean "taskIds"?'],
    ["/tasks?statuses=running", '"statuses" is not known; did you mean "status"?'],
    ["/tasks?zzz=1", '"zzz" is not known; known are status, type, tag, priority, limit, cursor'],
    [
      "/tasks?constructor=1",
      '"constructor" is not known; known are status, type, tag, priority, limit, cursor',
    ],
    ["/tasks/t?verbose=1", '"verbose" is not known; this takes no parameters'],
    ["/webhooks/undelivered?page=2", '"page" is not known; known are limit, cursor'],
    ["/tasks?limit=1&limit=2", '"limit" is given more than once, and takes one value'],
    ["/tasks?priority=10", '"priority" must be an integer from 0 to 9'],
    ["/tasks?priority=high", '"priority" must be an integer from 0 to 9'],
    ["/tasks?tag=a&tag=b", '"tag" is given more than once, and takes one value'],
    [
      "/tasks/t/events?wrap=false&wrap=false",
      '"wrap" is given more than once, and takes one value',
    ],
    [
      "/tasks?status=complete",
      '"status[0]" must be one of pending, assigned, running, paused, ' +
      'blocked, completed, failed, timeout, cancelled; did you mean "completed"?',
    ],
    [
      `/tasks?${"n".repeat(5_000)}=1`,
      `"${"n".repeat(200)}…" is not known; known are status, type, tag, priority, limit, cursor`,
    ],
  ];
  for (const [path, message] of cases) {
    assert.deepEqual(await server.get(path), [400, message], path.slice(0, 100));
  }
});

Deno.test("a request with an unknown parameter changes nothing", async () => {
  await using server = await open();
  assert.equal(await server.request("DELETE", "/tasks/t?dryRun=true"), 400);
  assert.equal(await server.request("POST", "/tasks?id=new"), 400);
  assert.deepEqual((await server.engine.listTasks()).tasks.map(({ id }) => id), ["t"]);
});

Deno.test("foreign parameters are ignored: those that begin with _, and those that are named", async () => {
  await using server = await open({ ignoredParameters: ["code", "token"] });
  for (
    const query of ["_=1764540000", "_t=1&_t=2", "__proto__=1", "code=secret", "token=a&token=b"]
  ) {
    assert.equal((await server.get(`/tasks?${query}`))[0], 200, query);
  }
  assert.equal((await server.get("/tasks?cod=1"))[0], 400);
  await using plain = await open();
  assert.equal((await plain.get("/tasks?code=1"))[0], 400);
});

Deno.test("probes and scrapers may send any query", async () => {
  await using server = await open();
  for (
    const path of [
      "/",
      "/health",
      "/health/ready",
      "/health/detail",
      "/metrics",
      "/docs",
      "/openapi.json",
    ]
  ) {
    assert.equal((await server.get(`${path}?verbose=1&format=prometheus`))[0], 200, path);
  }
});

Deno.test("options for workers are refused until there are workers", async () => {
  await using server = await open();
  const cases: [input: object, path: string][] = [
    [{ assignMode: "pull" }, "assignMode"],
    [{ assignMode: "External" }, "assignMode"],
    [{ cost: 1 }, "cost"],
    [{ cost: null }, "cost"],
    [{ disconnectPolicy: "reassign" }, "disconnectPolicy"],
  ];
  const app = createTaskcastApp({ engine: server.engine });
  for (const [input, path] of cases) {
    // deno-lint-ignore no-explicit-any
    const create = () => server.engine.createTask({ id: "w", ...input as any });
    await assert.rejects(create, { code: "NOT_SUPPORTED", details: { path } }, path);
    const response = await app.request("/tasks", {
      method: "POST",
      body: JSON.stringify(input),
      headers: { "content-type": "application/json" },
    });
    const { error } = await response.json();
    assert.deepEqual([response.status, error.code], [400, "NOT_SUPPORTED"]);
    assert.match(error.message, new RegExp(`^"${path}" .*workers`));
  }
  assert.equal(await server.engine.getTask("w"), undefined);
  const { assignMode } = await server.engine.createTask({ id: "w", assignMode: "external" });
  assert.equal(assignMode, "external");
  const document = await (await app.request("/openapi.json")).json();
  const { properties } = document.components.schemas.CreateTask;
  for (const name of ["assignMode", "cost", "disconnectPolicy"]) {
    assert.match(properties[name].description, /workers.*NOT_SUPPORTED/, name);
  }
});
