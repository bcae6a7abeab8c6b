import assert from "node:assert/strict";
import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
import { createTaskcastApp } from "@taskcast/server";
import { Hono } from "hono";
import { browserTest } from "../../testing/pages/browser.ts";
import { serve } from "../../testing/network/serve.ts";
import { until } from "../../testing/sse/sse.ts";
import { startServer } from "../../testing/servers/test_server.ts";

// deno-lint-ignore no-explicit-any
type Json = any;

/** Routes of the protocol, section 2. */
const ROUTES = [
  "GET /",
  "GET /health",
  "GET /health/ready",
  "GET /health/detail",
  "GET /metrics",
  "POST /tasks",
  "GET /tasks",
  "GET /tasks/{id}",
  "DELETE /tasks/{id}",
  "PATCH /tasks/{id}/status",
  "POST /leases",
  "POST /tasks/{id}/heartbeat",
  "POST /tasks/{id}/lease",
  "POST /tasks/{id}/cancel",
  "POST /tasks/{id}/cancel/seen",
  "POST /tasks/{id}/resolve",
  "GET /tasks/{id}/request",
  "POST /tasks/{id}/tickets",
  "GET /tasks/{id}/webhooks",
  "POST /tasks/{id}/webhooks/retry",
  "GET /webhooks/undelivered",
  "GET /displaced",
  "GET /displaced/export",
  "DELETE /displaced",
  "POST /tasks/{id}/events",
  "GET /tasks/{id}/events",
  "GET /tasks/{id}/events/history",
  "GET /events",
  "GET /openapi.json",
  "GET /docs",
];

function makeEngine(): TaskEngine {
  return new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
  });
}

Deno.test("the document and the app have the same routes, and no other", async () => {
  await using engine = makeEngine();
  const app = createTaskcastApp({ engine });
  const document: Json = await (await app.request("/openapi.json")).json();
  const documented = Object.entries(document.paths as Record<string, object>)
    .flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`)
    );
  const served = app.routes.filter(({ method }) => method !== "ALL")
    .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`);
  assert.deepEqual(documented.toSorted(), ROUTES.toSorted());
  assert.deepEqual([...new Set(served)].toSorted(), ROUTES.toSorted());
});

Deno.test("the document is OpenAPI 3.1 and every reference has a target", async () => {
  await using engine = makeEngine();
  const document: Json = await (await createTaskcastApp({ engine }).request("/openapi.json"))
    .json();
  assert.match(document.openapi, /^3\.1/);
  const text = JSON.stringify(document);
  const references = [...text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)];
  assert(references.length > 20);
  for (const [, name] of references) assert(document.components.schemas[name!], name!);
  for (const [path, operations] of Object.entries<Json>(document.paths)) {
    for (const [method, operation] of Object.entries<Json>(operations)) {
      const at = `${method} ${path}`;
      assert(operation.summary, at);
      const names = (operation.parameters ?? []).filter((p: Json) => p.in === "path");
      assert.deepEqual(
        names.map((p: Json) => `{${p.name}}`),
        path.match(/\{\w+\}/g) ?? [],
        at,
      );
    }
  }
});

Deno.test("the server's answers match the document", async () => {
  await using server = startServer();
  const { body: document } = await server.call("GET", "/openapi.json");
  const fits = (path: string, method: string, status: number, body: Json) => {
    const response = document.paths[path][method].responses[status];
    assert(response, `${method} ${path} documents ${status}`);
    const schema = response.content?.["application/json"]?.schema;
    assertFits(body, schema, document.components.schemas, `${method} ${path}`);
  };
  const created = await server.call("POST", "/tasks", {
    id: "t",
    type: "job",
    params: { a: 1 },
    tags: ["x"],
    priority: 3,
    ttl: 60,
  });
  fits("/tasks", "post", created.status, created.body);
  const event = { type: "a", data: { delta: "x" }, seriesId: "s", seriesMode: "accumulate" };
  for (const body of [event, [event, event]]) {
    const published = await server.call("POST", "/tasks/t/events", body);
    fits("/tasks/{id}/events", "post", published.status, published.body);
  }
  const blocked = await server.call("PATCH", "/tasks/t/status", { status: "running" });
  fits("/tasks/{id}/status", "patch", blocked.status, blocked.body);
  for (
    const [path, template] of [
      ["/tasks/t", "/tasks/{id}"],
      ["/tasks", "/tasks"],
      ["/tasks/t/events/history", "/tasks/{id}/events/history"],
      ["/tasks/none", "/tasks/{id}"],
      ["/tasks?status=wrong", "/tasks"],
      ["/", "/"],
      ["/health", "/health"],
      ["/health/detail", "/health/detail"],
    ] as const
  ) {
    const { status, body } = await server.call("GET", path);
    fits(template, "get", status, body);
  }
  const ticket = await server.call("POST", "/tasks/t/tickets", {});
  fits("/tasks/{id}/tickets", "post", ticket.status, ticket.body);
  const deleted = await server.call("DELETE", "/tasks/t");
  assert.equal(deleted.status, 204);
});

/**
 * The part of JSON Schema that the document uses: enough to notice a field that is missing in it.
 */
function assertFits(value: Json, schema: Json, all: Json, at: string): void {
  if (schema?.$ref) return assertFits(value, all[schema.$ref.split("/").pop()], all, at);
  const choices = schema?.anyOf ?? schema?.oneOf;
  if (choices) {
    const failures = choices.map((choice: Json) => {
      try {
        assertFits(value, choice, all, at);
      } catch (error) {
        return error;
      }
    });
    assert(failures.includes(undefined), `${at}: ${failures.map(String).join("; ")}`);
    return;
  }
  if (schema?.enum) assert(schema.enum.includes(value), `${at}: ${value}`);
  switch (schema?.type) {
    case "object":
      assert.equal(typeof value, "object", at);
      for (const name of schema.required ?? []) assert(name in value, `${at}.${name} is there`);
      if (schema.properties === undefined) return;
      for (const [name, member] of Object.entries(value)) {
        if (schema.properties[name] === undefined && schema.additionalProperties) continue;
        assert(schema.properties[name], `${at}.${name} is documented`);
        assertFits(member, schema.properties[name], all, `${at}.${name}`);
      }
      return;
    case "array":
      assert(Array.isArray(value), at);
      value.forEach((item: Json, i: number) => assertFits(item, schema.items, all, `${at}[${i}]`));
      return;
    case "integer":
      assert(Number.isInteger(value), at);
      return;
    case "string":
    case "number":
    case "boolean":
      assert.equal(typeof value, schema.type, at);
  }
}

Deno.test("mounted under a path, links, errors and the document include it", async () => {
  await using engine = makeEngine();
  const app = new Hono()
    .get("/", (context) => context.text("the host's own"))
    .route("/api/taskcast", createTaskcastApp({ engine }));
  assert.equal(await (await app.request("/")).text(), "the host's own");
  const at = (path: string, init?: RequestInit) => app.request(`/api/taskcast${path}`, init);
  const document: Json = await (await at("/openapi.json")).json();
  assert.deepEqual(document.servers, [{ url: "/api/taskcast" }]);

  const created = await at("/tasks", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ id: "t" }),
  });
  assert.equal(created.status, 201);
  const location = new URL(created.headers.get("location")!, "http://host/api/taskcast/tasks");
  assert.equal(location.href, "http://host/api/taskcast/tasks/t");
  assert.equal((await app.request(location.pathname)).status, 200);

  const missing = await at("/nothing");
  assert.deepEqual([missing.status, (await missing.json()).error.code], [404, "NOT_FOUND"]);
  const wrong = await at("/tasks/t", { method: "PUT" });
  assert.equal(wrong.status, 405);
  assert.equal(wrong.headers.get("allow"), "GET, DELETE");

  for (const path of ["//tasks", "/x/tasks", "/tasks/", "/tasks/t/x"]) {
    assert.equal((await at(path)).status, 404, path);
    assert.equal((await at(path, { method: "PUT" })).status, 404, path);
  }
  assert.equal((await at("/", { method: "POST" })).status, 405);

  const docs = await at("/docs");
  assert.equal(docs.status, 200);
  assert.match(docs.headers.get("content-type")!, /^text\/html/);
});

Deno.test("an app that is mounted twice serves its document with the path of each mount", async () => {
  await using engine = makeEngine();
  const taskcast = createTaskcastApp({ engine });
  const app = new Hono().route("/a", taskcast).route("/b", taskcast);
  const documents: Json[] = [];
  for (const base of ["/a", "/b", "/a"]) {
    const { servers, ...document } = await (await app.request(`${base}/openapi.json`)).json();
    assert.deepEqual(servers, [{ url: base }]);
    documents.push(document);
  }
  assert.deepEqual(documents[1], documents[0]);
  assert.deepEqual(documents[2], documents[0]);
});

Deno.test("the docs page needs no other host, and its policy allows none", async () => {
  await using engine = makeEngine();
  const docs = await createTaskcastApp({ engine }).request("/docs");
  const html = await docs.text();
  assert.doesNotMatch(html, /https?:\/\//);
  assert.doesNotMatch(html, /(?:src|href)="\//, "links are relative");
  const policy = docs.headers.get("content-security-policy")!;
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /connect-src 'self'/);
  assert.doesNotMatch(policy, /unsafe|https:|\*/);
});

browserTest(
  "the docs page shows the API and tries it out, under a base path",
  async (page) => {
    await using engine = makeEngine();
    const app = new Hono().route("/base", createTaskcastApp({ engine }));
    await using server = serve(app.fetch);
    await page.goto(`${server.url}/base/docs`);
    await page.waitForSelector("details");
    // Not with a function in the page: its policy forbids evaluating code.
    const shows = (text: string) => page.locator(".try", { hasText: text }).first().waitFor();
    assert.equal(await page.locator("details").count(), ROUTES.length);

    const create = page.locator("details", { hasText: "POST /tasks" }).first();
    await create.locator("summary").click();
    await create.locator("textarea").fill('{"id": "<b>mine</b>"}');
    await create.getByRole("button", { name: "Send" }).click();
    await shows("400");
    assert.equal(await page.locator("details b").count(), 0, "answers are text, never markup");
    await create.locator("textarea").fill('{"id": "mine"}');
    await create.getByRole("button", { name: "Send" }).click();
    await until(async () => await engine.getTask("mine") !== undefined, "the task is made");

    const follow = page.locator("details", { hasText: "Follow a task" }).first();
    await follow.locator("summary").click();
    await follow.getByLabel("id", { exact: true }).fill("mine");
    await follow.getByRole("button", { name: "Send" }).click();
    await shows("taskcast.open");
    await engine.publishEvent("mine", { type: "hello", data: "from the page" });
    await shows("from the page");
    await engine.transitionTask("mine", "completed");
    await shows("taskcast.done");
  },
);

Deno.test("the document lists the query parameters, and the root names the API's version", async () => {
  await using engine = makeEngine();
  const app = createTaskcastApp({ engine });
  const document: Json = await (await app.request("/openapi.json")).json();
  for (const path of ["/tasks/{id}/events", "/events"]) {
    const { schema } = document.paths[path].get.parameters.find((p: Json) => p.name === "wrap");
    assert.deepEqual(schema.enum, ["true", "false", "event"]);
  }
  const streams: Json[] = document.paths["/tasks/{id}/events"].get.parameters;
  assert(streams.some(({ name }) => name === "lastEventId"));
  assert.equal((await (await app.request("/")).json()).apiVersion, "1");
});
