import assert from "node:assert/strict";
import type { TaskEngine } from "@taskcast/core";
import { MemoryShortTermStore } from "@taskcast/core";
import type { Scope } from "@taskcast/core/protocol";
import { SCOPES } from "@taskcast/core/protocol";
import type { TaskcastAppOptions } from "@taskcast/server";
import { createTaskcastApp } from "@taskcast/server";
import type { JWTPayload } from "jose";
import { SignJWT, UnsecuredJWT } from "jose";
import { until } from "../../testing/sse/sse.ts";
import type { TestServer } from "../../testing/servers/test_server.ts";
import { startServer } from "../../testing/servers/test_server.ts";

// Sends every credential to every route, and checks the status and that a refusal changes nothing.

const secret = "a secret of more than thirty-two bytes";
const trustedServices = { billing: "a key of many characters" };
const auth = {
  mode: "jwt",
  jwt: { secret, issuer: "us", audience: "taskcast" },
} as const;

/** A route; `{id}` in its path is the task. */
interface Route {
  /** Required scope; absent if none. */
  scope?: Scope;
  body?: unknown;
  /** Status for permitted callers. */
  status: number;
}

const ROUTES: Record<string, Route> = {
  "GET /": { status: 200 },
  "GET /health": { status: 200 },
  "GET /health/ready": { status: 200 },
  "GET /openapi.json": { status: 200 },
  "GET /docs": { status: 200 },
  "GET /health/detail": { scope: "task:manage", status: 200 },
  "GET /metrics": { scope: "task:manage", status: 200 },
  "POST /tasks": { scope: "task:create", body: { id: "new" }, status: 201 },
  "GET /tasks": { scope: "event:subscribe", status: 200 },
  "GET /tasks/{id}": { scope: "event:subscribe", status: 200 },
  "PATCH /tasks/{id}/status": { scope: "task:manage", body: { status: "running" }, status: 200 },
  "DELETE /tasks/{id}": { scope: "task:manage", status: 204 },
  // An entry that the caller may not touch is `lost`.
  "POST /leases": {
    scope: "event:publish",
    body: { leases: [{ taskId: "mine", lease: "1.a" }] },
    status: 200,
  },
  "POST /tasks/{id}/lease": { scope: "task:manage", body: { ms: 60_000 }, status: 200 },
  // 400: they name no lease. Callers without permission are refused before that.
  "POST /tasks/{id}/heartbeat": { scope: "event:publish", status: 400 },
  "POST /tasks/{id}/cancel": { scope: "task:cancel", body: { graceMs: 60_000 }, status: 202 },
  // 409: nobody asked it to stop. Callers without permission are refused before that.
  "POST /tasks/{id}/cancel/seen": { scope: "event:publish", status: 409 },
  "POST /tasks/{id}/resolve": { scope: "task:resolve", body: { data: 1 }, status: 200 },
  "GET /tasks/{id}/request": { scope: "task:resolve", status: 200 },
  "POST /tasks/{id}/tickets": { scope: "event:subscribe", status: 201 },
  "GET /tasks/{id}/webhooks": { scope: "task:manage", status: 200 },
  // 404: the task has none. Callers without permission are refused before that.
  "POST /tasks/{id}/webhooks/retry": { scope: "task:manage", body: { hook: "0" }, status: 404 },
  "GET /webhooks/undelivered": { scope: "task:manage", status: 200 },
  "GET /displaced": { scope: "task:manage", status: 200 },
  // 400: they name no task. Callers without permission are refused before that.
  "GET /displaced/export": { scope: "task:manage", status: 400 },
  "DELETE /displaced": { scope: "task:manage", status: 400 },
  "POST /tasks/{id}/events": {
    scope: "event:publish",
    body: { type: "n", data: 1 },
    status: 201,
  },
  "GET /tasks/{id}/events": { scope: "event:subscribe", status: 200 },
  "GET /tasks/{id}/events/history": { scope: "event:history", status: 200 },
  "GET /events": { scope: "event:subscribe", status: 200 },
};

const FOLLOW = "GET /tasks/{id}/events";

/** Credential of a request. */
interface Credential {
  headers?: Record<string, string>;
  ticket?: string;
  /** The task it is used for. @default {"mine"} */
  task?: string;
}

type Bring = (scope: Scope, server: TestServer) => Promise<Credential>;

const now = Math.floor(Date.now() / 1000);

function claimsFor(scope: readonly Scope[], more: JWTPayload = {}): JWTPayload {
  return {
    iss: "us",
    aud: "taskcast",
    sub: "me",
    exp: now + 3_600,
    taskIds: ["mine", "ruled", "new"],
    scope,
    ...more,
  };
}

async function signed(claims: JWTPayload, key = secret): Promise<Credential> {
  const token = await new SignJWT(claims).setProtectedHeader({ alg: "HS256" })
    .sign(new TextEncoder().encode(key));
  return { headers: { authorization: `Bearer ${token}` } };
}

async function ticketFor(server: TestServer, id: string): Promise<string> {
  const { headers } = await signed(claimsFor(["event:subscribe"]));
  const { body } = await server.call("POST", `/tasks/${id}/tickets`, undefined, headers);
  return body.ticket;
}

const key = (value: string) => ({ "x-taskcast-service-key": value });
const right = (scope: Scope) => signed(claimsFor([scope]));
const others = (scope: Scope) =>
  SCOPES.filter((other) =>
    other !== scope && other !== "*" && !(scope === "task:cancel" && other === "task:manage")
  );

/** Credentials with their expected status, a function where it depends on the route. */
const CREDENTIALS: [name: string, Bring, expected: (route: string, kind: Route) => number][] = [
  ["no token", () => Promise.resolve({}), () => 401],
  [
    "an Authorization header that is none",
    async (scope) => {
      const { authorization } = (await right(scope)).headers!;
      return { headers: { authorization: authorization!.replace("Bearer", "Basic") } };
    },
    () => 401,
  ],
  ["a wrong signature", (scope) => signed(claimsFor([scope]), `${secret}!`), () => 401],
  [
    "no signature",
    (scope) => {
      const token = new UnsecuredJWT(claimsFor([scope])).encode();
      return Promise.resolve({ headers: { authorization: `Bearer ${token}` } });
    },
    () => 401,
  ],
  ["an expired token", (scope) => signed(claimsFor([scope], { exp: now - 1 })), () => 401],
  ["a token of tomorrow", (scope) => signed(claimsFor([scope], { nbf: now + 86_400 })), () => 401],
  ["a wrong issuer", (scope) => signed(claimsFor([scope], { iss: "them" })), () => 401],
  ["no issuer", (scope) => signed(claimsFor([scope], { iss: undefined })), () => 401],
  ["a wrong audience", (scope) => signed(claimsFor([scope], { aud: "other" })), () => 401],
  ["every scope but the right one", (scope) => signed(claimsFor(others(scope))), () => 403],
  ["no scope", () => signed(claimsFor([])), () => 403],
  [
    "a token of another task",
    (scope) => signed(claimsFor([scope], { taskIds: ["other"] })),
    (route, { status }) => route.includes("{id}") || route === "POST /tasks" ? 403 : status,
  ],
  [
    "a token of no task",
    (scope) => signed(claimsFor([scope], { taskIds: undefined })),
    (route, { status }) => route.includes("{id}") || route === "POST /tasks" ? 403 : status,
  ],
  [
    "a token that a rule of the task excludes",
    async (scope) => ({ ...await right(scope), task: "ruled" }),
    (route, { status }) => route.includes("{id}") ? 403 : status,
  ],
  [
    "a ticket of another task",
    async (_, server) => ({ ticket: await ticketFor(server, "second") }),
    () => 401,
  ],
  ["a made-up ticket", () => Promise.resolve({ ticket: "a.b.c" }), () => 401],
  [
    "a token as a ticket",
    async (scope) => ({ ticket: (await right(scope)).headers!.authorization!.slice(7) }),
    () => 401,
  ],
  [
    "a ticket as a token",
    async (_, server) => {
      const ticket = await ticketFor(server, "mine");
      return { headers: { authorization: `Bearer ${ticket}` } };
    },
    () => 401,
  ],
  [
    "a wrong service key",
    () => Promise.resolve({ headers: key("a key of many charactera") }),
    () => 401,
  ],
  [
    "a wrong service key beside a right token",
    async (scope) => ({ headers: { ...(await right(scope)).headers, ...key("no") } }),
    () => 401,
  ],
  [
    "a ticket of the task",
    async (_, server) => ({ ticket: await ticketFor(server, "mine") }),
    (route, { status }) => route === FOLLOW ? status : 401,
  ],
  ["the right token", right, (_, { status }) => status],
  ["the scope *", () => signed(claimsFor(["*"])), (_, { status }) => status],
  [
    "the right service key",
    () => Promise.resolve({ headers: key(trustedServices.billing) }),
    (_, { status }) => status,
  ],
];

async function makeServer(): Promise<TestServer> {
  const server = startServer({ app: { auth, trustedServices } });
  const { engine } = server;
  const only = { rules: [{ match: { scope: ["*" as const] }, require: { sub: ["owner"] } }] };
  await engine.createTask({ id: "mine" });
  await engine.createTask({ id: "ruled", authConfig: only });
  await engine.createTask({ id: "second" });
  for (const id of ["mine", "ruled"]) {
    await engine.publishEvent(id, { type: "n", data: 0 });
    await engine.transitionTask(id, "running");
    await engine.transitionTask(id, "blocked", { blockedRequest: { type: "q", data: 1 } });
  }
  return server;
}

/** Returns everything that is stored. */
async function contents(engine: TaskEngine): Promise<string> {
  const { tasks } = await engine.listTasks({ limit: 500 });
  const logs = tasks.map(async ({ id }) => (await engine.readEvents(id, {})).events);
  return JSON.stringify([tasks, await Promise.all(logs)]);
}

async function send(
  server: TestServer,
  route: string,
  { body }: Route,
  { headers = {}, ticket, task = "mine" }: Credential,
): Promise<{ status: number; error?: { code: string } }> {
  const [method, path] = route.split(" ") as [string, string];
  const query = ticket === undefined ? "" : `?ticket=${ticket}`;
  const stop = new AbortController();
  const response = await fetch(server.url + path.replace("{id}", task) + query, {
    method,
    headers: { ...headers, ...(body === undefined ? {} : { "content-type": "application/json" }) },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: stop.signal,
  });
  const error = response.status >= 400 ? (await response.json()).error : undefined;
  if (error === undefined) await response.body?.cancel();
  stop.abort();
  return { status: response.status, error };
}

Deno.test("the table has every route", async () => {
  await using server = startServer();
  const served = createTaskcastApp({ engine: server.engine }).routes
    .filter(({ method }) => method !== "ALL")
    .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`);
  assert.deepEqual([...new Set(served)].toSorted(), Object.keys(ROUTES).toSorted());
});

for (const [route, kind] of Object.entries(ROUTES)) {
  Deno.test(`${route} answers every credential with the right status, and a refusal changes nothing`, async () => {
    let server = await makeServer();
    try {
      for (const [name, bring, expected] of CREDENTIALS) {
        const credential = await bring(kind.scope ?? "event:subscribe", server);
        const wanted = kind.scope === undefined ? kind.status : expected(route, kind);
        const before = await contents(server.engine);
        const { status, error } = await send(server, route, kind, credential);
        assert.equal(status, wanted, name);
        if (status === 401) assert.equal(error!.code, "UNAUTHORIZED", name);
        if (status === 403) assert.equal(error!.code, "FORBIDDEN", name);
        const { engine } = server;
        await until(() => engine.stats.streams === 0, "no stream is open");
        if (status >= 400) {
          assert.equal(await contents(engine), before, name);
        } else if (!route.startsWith("GET ")) {
          await server[Symbol.asyncDispose]();
          server = await makeServer(); // The server may have changed, so the next one starts fresh.
        }
      }
    } finally {
      await server[Symbol.asyncDispose]();
    }
  });
}

Deno.test("creating a task with webhooks needs their scope, and creates nothing without it", async () => {
  await using server = await makeServer();
  const webhooks = [{ url: "https://example.com/hook" }];
  const route: Route = { body: { id: "new", webhooks }, status: 201 };
  const before = await contents(server.engine);
  const without = await send(server, "POST /tasks", route, await right("task:create"));
  assert.deepEqual([without.status, without.error?.code], [403, "FORBIDDEN"]);
  assert.equal(await contents(server.engine), before);
});

Deno.test("a rule admits only the callers that it names, including services", async () => {
  await using server = await makeServer();
  const { body: made } = await server.call("POST", "/tasks", {
    id: "shared",
    authConfig: {
      rules: [{ match: { scope: ["*"] }, require: { sub: ["owner", "service:billing"] } }],
    },
  }, key(trustedServices.billing));
  assert.equal(made.id, "shared");
  const kind = ROUTES["GET /tasks/{id}"]!;
  const status = async (task: string, credential: Credential) =>
    (await send(server, "GET /tasks/{id}", kind, { ...credential, task })).status;
  const owner = await signed(claimsFor(["event:subscribe"], { sub: "owner", taskIds: "*" }));
  assert.deepEqual([await status("shared", owner), await status("ruled", owner)], [200, 200]);
  const service = { headers: key(trustedServices.billing) };
  assert.deepEqual([await status("shared", service), await status("ruled", service)], [200, 403]);
});

Deno.test("tickets survive a restart, and are valid only on instances with the same secret", async () => {
  const engine = { shortTermStore: new MemoryShortTermStore() };
  const first = startServer({ engine, app: { auth, trustedServices } });
  await first.engine.createTask({ id: "mine" });
  const ticket = await ticketFor(first, "mine");
  const kind = ROUTES[FOLLOW]!;
  assert.equal((await send(first, FOLLOW, kind, { ticket })).status, 200);
  await first[Symbol.asyncDispose]();
  const status = async (app: Partial<TaskcastAppOptions>) => {
    await using other = startServer({ engine, app });
    return (await send(other, FOLLOW, kind, { ticket })).status;
  };
  assert.equal(await status({ auth, trustedServices }), 200);
  const otherSecret = "another secret of more than thirty-two bytes";
  assert.equal(await status({ auth: { ...auth, jwt: { ...auth.jwt, secret: otherSecret } } }), 401);
  assert.equal(await status({ auth, ticketSecret: otherSecret }), 401);
});

Deno.test("a ticket is valid until it expires", async () => {
  await using server = await makeServer();
  const { headers } = await signed(claimsFor(["event:subscribe"]));
  const { body } = await server.call("POST", "/tasks/mine/tickets", { expiresInMs: 500 }, headers);
  const status = async () =>
    (await send(server, FOLLOW, ROUTES[FOLLOW]!, { ticket: body.ticket })).status;
  const first = await status();
  // On a machine that was busy for half a second, the ticket may already have expired.
  assert(first === 200 || Date.now() >= body.expiresAt, String(first));
  await until(() => Date.now() >= body.expiresAt, "the ticket has expired");
  assert.equal(await status(), 401);
});
