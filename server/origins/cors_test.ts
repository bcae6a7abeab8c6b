import assert from "node:assert/strict";
import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
import { createTaskcastApp } from "../app.ts";
import type { CorsOptions } from "./cors.ts";

// deno-lint-ignore no-explicit-any
type Anything = any;

function app(engine: TaskEngine, cors: Anything) {
  return createTaskcastApp({ engine, cors: cors as CorsOptions });
}

function engine(): TaskEngine {
  return new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
  });
}

Deno.test("createTaskcastApp() rejects CORS options that would allow no page", async () => {
  await using host = engine();
  const cases: [cors: Anything, message: RegExp][] = [
    [null, /cors must be an object/],
    ["*", /cors must be an object/],
    [{}, /cors\.origin.*must be a text/],
    [{ origin: "*", credentials: true }, /cors\.credentials cannot be true while .* "\*"/],
    [{ origin: "*", credentials: "yes" }, /cors\.credentials must be true or false/],
    [{ origin: "*", maxAgeSeconds: -1 }, /cors\.maxAgeSeconds/],
    [{ origin: [] }, /cors\.origin is empty/],
    [{ origin: "*", allowedHeaders: "x-mine" }, /cors\.allowedHeaders must be a list/],
    [{ origin: "*", allowedHeaders: ["*"] }, /cors\.allowedHeaders: "\*" .*name each/],
    [{ origin: "*", allowedHeaders: ["x mine"] }, /cors\.allowedHeaders: "x mine" is not/],
    [{ origin: ["*"] }, /"\*" must name one host/],
    [{ origin: "https://*.example.com" }, /must name one host/],
    [{ origin: "https://a.example/" }, /"https:\/\/a\.example\/" .*slash at its end/],
    [{ origin: ["https://b.example", "https://a.example/app"] }, /without a path/],
    [{ origin: "https://a.example?x" }, /must be an origin/],
    [{ origin: "a.example" }, /must be an origin, such as https:\/\/a\.example, without/],
    [{ origin: "localhost:3000" }, /such as http:\/\/localhost:3000, without/],
    [{ origin: "http://a.example:80" }, /written as browsers do: http:\/\/a\.example$/],
    [{ origin: "HTTPS://A.example" }, /written as browsers do: https:\/\/a\.example$/],
    [{ origin: "Capacitor://localhost" }, /written as browsers do: capacitor:\/\/localhost$/],
    [{ origin: "https://user:password@a.example/" }, /such as https:\/\/example\.com, without/],
    [{ origin: "" }, /must be an origin/],
    [{ origin: Array(1) }, /must be a text/],
    [{ origin: "https://a.example,https://b.example" }, /must be/],
    [{ origin: "https://A.example" }, /written as browsers do: https:\/\/a\.example/],
    [{ origin: "https://a.example:443" }, /written as browsers do: https:\/\/a\.example/],
    [{ origin: "https://user@a.example" }, /must be an origin/],
    [{ origin: "https://münchen.example" }, /browsers do: https:\/\/xn--/],
  ];
  for (const [cors, message] of cases) {
    assert.throws(() => app(host, cors), { name: "TypeError", message }, JSON.stringify(cors));
  }
});

Deno.test("pages of every allowed origin have access", async () => {
  await using host = engine();
  const origins = [
    "https://a.example",
    "http://localhost:3000",
    "http://[::1]:8080",
    "capacitor://localhost",
    "chrome-extension://abcdefghijklmnop",
    "https://xn--mnchen-3ya.example",
    "null",
  ];
  for (const origin of origins) {
    for (const cors of [{ origin }, { origin: [origin], credentials: true }]) {
      const { headers } = await app(host, cors).request("/health", { headers: { origin } });
      assert.equal(headers.get("access-control-allow-origin"), origin);
    }
  }
  const { headers } = await app(host, { origin: "*" }).request("/health", {
    headers: { origin: "https://b.example" },
  });
  assert.equal(headers.get("access-control-allow-origin"), "*");
});

Deno.test("pages may send tracing headers, and headers that are allowed by name", async () => {
  await using host = engine();
  const preflight = async (cors: object, names: string) => {
    const headers = {
      origin: "https://a.example",
      "access-control-request-method": "GET",
      "access-control-request-headers": names,
    };
    const init = { method: "OPTIONS", headers };
    const answer = await app(host, { origin: "*", ...cors }).request("/tasks/t/events", init);
    const allowed = answer.headers.get("access-control-allow-headers")!.split(",");
    return names.split(",").every((name) => allowed.includes(name));
  };
  assert(await preflight({}, "authorization,baggage,sentry-trace,traceparent"));
  assert(!await preflight({}, "x-tenant"), "nothing else by itself");
  assert(await preflight({ allowedHeaders: ["X-Tenant"] }, "x-tenant,authorization"));
});

Deno.test("pages may send the token of a lease, and read the one that they are granted", async () => {
  await using host = engine();
  const cors = app(host, { origin: "*" });
  const headers = { origin: "https://a.example", "access-control-request-method": "POST" };
  const preflight = await cors.request("/tasks", { method: "OPTIONS", headers });
  const sent = preflight.headers.get("access-control-allow-headers")!.split(",");
  assert(sent.includes("taskcast-lease"));
  const created = await cors.request("/tasks", {
    method: "POST",
    headers: { origin: "https://a.example", "content-type": "application/json" },
    body: JSON.stringify({ lease: { ms: 60_000 } }),
  });
  const shown = created.headers.get("access-control-expose-headers")!.split(",");
  for (const name of ["taskcast-lease", "taskcast-lease-until"]) {
    assert(shown.includes(name) && created.headers.has(name), name);
  }
});

/** Returns the answer to the preflight of a page's `POST`. */
async function preflight(options: Anything, origin: string) {
  const refused: string[] = [];
  await using host = engine();
  const { status, headers, body } = await createTaskcastApp({
    engine: host,
    onOriginRefused: (origin) => void refused.push(origin),
    ...options,
  }).request("/tasks", {
    method: "OPTIONS",
    headers: { origin, "access-control-request-method": "POST" },
  });
  const text = await new Response(body).text();
  return { status, allowed: headers.get("access-control-allow-origin"), text, refused };
}

Deno.test("a refused preflight names the setting to change, and is reported to the host", async () => {
  const page = "https://app.example";
  const { status, text, refused } = await preflight({}, page);
  assert.equal(status, 405);
  assert.match(
    JSON.parse(text).error.message,
    /^Pages of https:\/\/app\.example may not call .* --cors, TASKCAST_CORS or cors\.origin .* createTaskcastApp\(\)$/,
  );
  assert.deepEqual(refused, [page]);
  const others = await preflight({ cors: { origin: "https://other.example" } }, page);
  assert.deepEqual([others.allowed, others.refused], [null, [page]]);
  for (const origin of [page, "*", ["https://other.example", page]]) {
    const { status, allowed, refused } = await preflight({ cors: { origin } }, page);
    assert.deepEqual([status, allowed, refused], [204, origin === "*" ? "*" : page, []]);
  }
});

Deno.test("an invalid origin is not echoed, and an invalid preflight is a wrong method", async () => {
  const { text, refused } = await preflight({}, 'https://a.example" onload="alert(1)');
  assert.match(JSON.parse(text).error.message, /^Pages of other origins may not call/);
  assert.deepEqual(refused, []);
  await using host = engine();
  const response = await createTaskcastApp({ engine: host }).request("/tasks", {
    method: "OPTIONS",
    headers: { origin: "https://app.example" },
  });
  assert.match((await response.json()).error.message, /^OPTIONS is not allowed for this path/);
});

Deno.test("a stream for a page of another origin needs no preflight, and the host is advised, too", async () => {
  await using host = engine();
  const refused: string[] = [];
  const app = createTaskcastApp({
    engine: host,
    cors: { origin: "https://a.example" },
    onOriginRefused: (origin) => void refused.push(origin),
  });
  await host.createTask({ id: "t" });
  for (const path of ["/tasks/t/events", "/events"]) {
    for (const origin of ["https://a.example", "https://b.example"]) {
      const { body } = await app.request(path, { headers: { origin } });
      await body?.cancel();
    }
  }
  assert.deepEqual(refused, ["https://b.example", "https://b.example"]);
});
