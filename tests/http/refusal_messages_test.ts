import assert from "node:assert/strict";
import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
import { createTaskcastApp } from "@taskcast/server";

// Messages for people that sent something wrong: the field and the problem, in plain words.

// deno-lint-ignore no-explicit-any
type Json = any;

function open() {
  const engine = new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
  });
  const app = createTaskcastApp({ engine });
  return {
    engine,
    app,
    async call(
      method: string,
      path: string,
      body?: unknown,
    ): Promise<{ status: number; error: Json }> {
      const response = await app.request(path, {
        method,
        ...(body === undefined ? {} : {
          body: JSON.stringify(body),
          headers: { "content-type": "application/json" },
        }),
      });
      if (!response.headers.get("content-type")?.includes("json")) {
        await response.body?.cancel();
        return { status: response.status, error: undefined };
      }
      return { status: response.status, error: (await response.json()).error };
    },
    [Symbol.asyncDispose]: () => engine.close(),
  };
}

Deno.test("a field that is missing, of the wrong kind or misspelt is refused in plain words", async () => {
  await using server = open();
  await server.engine.createTask({ id: "t" });
  const cases: [method: string, path: string, body: unknown, message: string][] = [
    ["POST", "/tasks/t/events", { type: "x" }, '"data" is missing'],
    ["POST", "/tasks/t/events", [{ type: "x" }], '"[0].data" is missing'],
    ["POST", "/tasks/t/events", { data: 1 }, '"type" is missing'],
    ["POST", "/tasks/t/resolve", {}, '"data" is missing'],
    ["PATCH", "/tasks/t/status", {}, '"status" is missing'],
    [
      "PATCH",
      "/tasks/t/status",
      { status: "complete" },
      '"status" must be one of pending, assigned, running, paused, blocked, completed, failed, timeout, ' +
      'cancelled; did you mean "completed"?',
    ],
    [
      "PATCH",
      "/tasks/t/status",
      { status: "failed", error: { msg: "x" } },
      '"error.msg" is not known; known are code, message, details',
    ],
    ["PATCH", "/tasks/t/status", { status: "failed", error: {} }, '"error.message" is missing'],
    ["POST", "/tasks", { tpye: "x" }, '"tpye" is not known; did you mean "type"?'],
    ["POST", "/tasks", { type: ["x"] }, '"type" must be a string, and is an array'],
    ["POST", "/tasks", { type: "" }, '"type" must not be empty'],
    ["POST", "/tasks", { type: null }, '"type" must be a string, and is null'],
    ["POST", "/tasks", { ttl: 0 }, '"ttl" must be more than 0'],
    ["POST", "/tasks", [], "The body must be an object, and is an array"],
    ["POST", "/tasks", { webhooks: [{}] }, '"webhooks[0].url" is missing'],
    [
      "POST",
      "/tasks",
      { webhooks: [{ url: "https://a.example/", secert: "x" }] },
      '"webhooks[0].secert" is not known; did you mean "secret"?',
    ],
    [
      "POST",
      "/tasks/t/events",
      { type: "x", data: 1, level: "warning" },
      '"level" must be one of debug, info, warn, error; did you mean "warn"?',
    ],
    [
      "POST",
      "/tasks/t/events",
      { type: "x", data: 1, series_id: "s" },
      '"series_id" is not known; did you mean "seriesId"?',
    ],
    [
      "POST",
      "/tasks/t/tickets",
      { expiresInMs: 4_000_000 },
      '"expiresInMs" must be at most 3600000',
    ],
    [
      "POST",
      "/tasks/t/tickets",
      { expiresInMs: 1.5 },
      '"expiresInMs" must be an integer, and is 1.5',
    ],
  ];
  for (const [method, path, body, message] of cases) {
    const { status, error } = await server.call(method, path, body);
    assert.deepEqual([status, error.code, error.message], [400, "INVALID_INPUT", message]);
  }
});

/** Words that describe the validation instead of the problem. */
const JARGON =
  /invalid|expected|received|nonoptional|optional|regex|pattern|format|enum|option|record|union|schema|zod|undefined|NaN|[<>]=?\d/i;

const WRONG: unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e300,
  "",
  " ",
  "zzz",
  "x".repeat(5_000),
  [],
  [null],
  [[]],
  {},
  { zzz: 1 },
];

Deno.test("no refusal of any value in any field mentions how it was checked", async () => {
  await using server = open();
  await server.engine.createTask({ id: "t" });
  const document: Json = await (await server.app.request("/openapi.json")).json();
  const resolved = (schema: Json): Json =>
    schema?.$ref ? document.components.schemas[schema.$ref.split("/").pop()] : schema;
  /** Returns an object of the schema with the required fields and nothing else. */
  const least = (schema: Json): Json => {
    const { example, enum: words, type, required = [], properties, items } = resolved(schema) ?? {};
    if (example !== undefined) return example;
    if (words) return words[0];
    if (type === "object") {
      return Object.fromEntries(required.map((name: string) => [name, least(properties[name])]));
    }
    return type === "array" ? [least(items)] : type === "string" ? "https://a.example/" : 1;
  };
  let refused = 0;
  const send = async (method: string, path: string, body: unknown) => {
    const { status, error } = await server.call(method, path, body);
    if (status !== 400) return;
    refused++;
    assert.doesNotMatch(
      error.message.replaceAll(/"[^"]*"/g, '""'),
      JARGON,
      `${method} ${path} ${JSON.stringify(body)?.slice(0, 200)}`,
    );
  };
  const each = async (schema: Json, act: (value: unknown) => Promise<void>): Promise<void> => {
    for (const value of WRONG) await act(value);
    const { anyOf, properties, items } = resolved(schema) ?? {};
    for (const choice of anyOf ?? []) await each(choice, act);
    if (items !== undefined) await each(items, (value) => act([value]));
    for (const [name, field] of Object.entries(properties ?? {})) {
      const rest = least(schema);
      await each(field, (value) => act({ ...rest, [name]: value }));
      const { [name]: _, ...without } = rest;
      await act(without);
    }
  };
  for (const [template, operations] of Object.entries<Json>(document.paths)) {
    const path = template.replace("{id}", "t");
    for (const [method, { parameters = [], requestBody }] of Object.entries<Json>(operations)) {
      const schema = requestBody?.content?.["application/json"]?.schema;
      if (schema) await each(schema, (body) => send(method.toUpperCase(), path, body));
      if (method !== "get") continue;
      for (const { name, in: where } of parameters) {
        if (where !== "query") continue;
        for (const value of WRONG) {
          await send("GET", `${path}?${name}=${encodeURIComponent(`${value}`)}`, undefined);
        }
      }
    }
  }
  assert(refused > 500, `${refused}`);
});
