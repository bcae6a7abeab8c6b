import assert from "node:assert/strict";
import type { Scope } from "@taskcast/core/protocol";
import { SCOPES } from "@taskcast/core/protocol";
import type { TaskcastAppOptions } from "@taskcast/server";
import { EventSource } from "eventsource";
import type { JWTPayload } from "jose";
import { SignJWT } from "jose";
import { allFrames, frames, until } from "../../testing/sse/sse.ts";
import { startAnyServer } from "../../testing/servers/any_server.ts";
import { startServer } from "../../testing/servers/test_server.ts";

const secret = "a secret of more than thirty-two bytes";
const jwt: TaskcastAppOptions["auth"] = { mode: "jwt", jwt: { secret } };

async function bearer(claims: JWTPayload): Promise<Record<string, string>> {
  const token = await new SignJWT(claims).setProtectedHeader({ alg: "HS256" })
    .sign(new TextEncoder().encode(secret));
  return { authorization: `Bearer ${token}` };
}

/** Every operation that requires a scope; `mine` stands for the task's id. */
const OPERATIONS: [method: string, path: string, scope: Scope, body?: unknown][] = [
  ["POST", "/tasks", "task:create", { id: "new" }],
  ["GET", "/tasks", "event:subscribe"],
  ["GET", "/tasks/mine", "event:subscribe"],
  ["PATCH", "/tasks/mine/status", "task:manage", { status: "running" }],
  ["POST", "/tasks/mine/events", "event:publish", { type: "n", data: 1 }],
  ["GET", "/tasks/mine/events", "event:subscribe"],
  ["GET", "/tasks/mine/events/history", "event:history"],
  ["POST", "/leases", "event:publish", { leases: [{ taskId: "any", lease: "1.a" }] }],
  ["POST", "/tasks/mine/lease", "task:manage", { ms: 60_000 }],
  ["POST", "/tasks/mine/heartbeat", "event:publish"],
  ["POST", "/tasks/mine/cancel", "task:cancel", {}],
  ["POST", "/tasks/mine/cancel/seen", "event:publish"],
  ["POST", "/tasks/mine/resolve", "task:resolve", { data: 1 }],
  ["GET", "/tasks/mine/request", "task:resolve"],
  ["GET", "/events", "event:subscribe"],
  ["POST", "/tasks/mine/tickets", "event:subscribe"],
  ["GET", "/health/detail", "task:manage"],
  ["GET", "/metrics", "task:manage"],
  ["DELETE", "/tasks/mine", "task:manage"],
];

/** Returns whether one scope includes another. */
function allows(scope: Scope, needed: Scope): boolean {
  return scope === needed || scope === "*" ||
    needed === "task:cancel" && scope === "task:manage";
}

async function statusOf(
  url: string,
  [method, path, , body]: (typeof OPERATIONS)[number],
  headers: Record<string, string>,
): Promise<{ status: number; response: Response }> {
  const response = await fetch(url + path, {
    method,
    headers: { ...headers, ...(body === undefined ? {} : { "content-type": "application/json" }) },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  await response.body?.cancel();
  return { status: response.status, response };
}

Deno.test("every operation needs a token, its own scope, and a token for its task", async () => {
  await using server = await startAnyServer({ app: { auth: jwt } });
  await server.engine.createTask({ id: "mine" });
  for (const operation of OPERATIONS) {
    const [method, path, scope] = operation;
    const at = `${method} ${path}`;
    const none = await statusOf(server.url, operation, {});
    assert.equal(none.status, 401, at);
    assert.match(none.response.headers.get("www-authenticate") ?? "", /^Bearer/, at);
    const others = SCOPES.filter((other) => !allows(other, scope));
    const wrongScope = await bearer({ taskIds: "*", scope: others });
    assert.equal((await statusOf(server.url, operation, wrongScope)).status, 403, at);
    if (path.includes("mine")) {
      for (const taskIds of [undefined, [], ["min"], ["mine2"]]) {
        const otherTask = await bearer({ taskIds, scope: [scope] });
        assert.equal((await statusOf(server.url, operation, otherTask)).status, 403, at);
      }
    }
    const right = await bearer({ taskIds: ["mine", "new"], scope: [scope] });
    const { status } = await statusOf(server.url, operation, right);
    assert([200, 201, 202, 204, 400, 404, 409].includes(status), `${at}: ${status}`);
  }
});

Deno.test("a caller that may not see a task cannot find out whether it exists", async () => {
  await using server = await startAnyServer({ app: { auth: jwt } });
  await server.engine.createTask({ id: "theirs" });
  const headers = await bearer({ taskIds: ["mine"], scope: ["*"] });
  const answers = [];
  for (const id of ["theirs", "absent"]) {
    const { status, body } = await server.call("GET", `/tasks/${id}`, undefined, headers);
    answers.push([status, body.error.message.replace(id, "…")]);
  }
  assert.deepEqual(answers[0], answers[1]);
  assert.equal(answers[0]![0], 403);
  const made = await server.call("POST", "/tasks", { id: "theirs" }, headers);
  assert.equal(made.status, 403);
});

Deno.test("lists and the stream of all tasks hold only what the token may see", async () => {
  await using server = startServer({ app: { auth: jwt } });
  const only = {
    rules: [{ match: { scope: ["*" as const] }, require: { sub: ["somebody else"] } }],
  };
  for (let i = 0; i < 5; i++) await server.engine.createTask({ id: `t${i}` });
  await server.engine.createTask({ id: "ruled", authConfig: only });
  const headers = await bearer({
    sub: "me",
    taskIds: ["t1", "t3", "ruled", "later", "absent"],
    scope: ["event:subscribe"],
  });
  const list = await server.call("GET", "/tasks", undefined, headers);
  assert.deepEqual(list.body.tasks.map((task: { id: string }) => task.id), ["t3", "t1"]);
  const all = frames(`${server.url}/events`, { headers });
  const first = all.next();
  const seen: string[] = [];
  // The stream is live once its first byte has arrived.
  const { engine } = server;
  await until(() => engine.stats.streams === 1, "the stream is open");
  await engine.createTask({ id: "later" });
  for (const id of ["t0", "t1", "t2", "t3", "ruled", "later"]) {
    await engine.publishEvent(id, { type: "n", data: id });
  }
  seen.push((await first).value!.data.data);
  for (let i = 0; i < 2; i++) seen.push((await all.next()).value!.data.data);
  await all.return();
  assert.deepEqual(seen.sort(), ["later", "t1", "t3"]);
});

Deno.test("authConfig only restricts access, by subject and by claims, for the scopes it names", async () => {
  await using server = await startAnyServer({ app: { auth: jwt } });
  const rules = [
    { match: { scope: ["event:publish"] }, require: { sub: ["worker"] } },
    { match: { scope: ["event:subscribe"] }, require: { claims: { org: { id: 1, tier: "a" } } } },
  ];
  const admin = await bearer({ taskIds: "*", scope: ["*"], sub: "admin" });
  const made = await server.call("POST", "/tasks", { id: "t", authConfig: { rules } }, admin);
  assert.equal(made.status, 201);
  const publish = async (claims: JWTPayload) =>
    (await server.call("POST", "/tasks/t/events", { type: "n", data: 1 }, await bearer(claims)))
      .status;
  assert.equal(await publish({ taskIds: "*", scope: ["*"], sub: "admin" }), 403);
  assert.equal(await publish({ taskIds: "*", scope: ["*"] }), 403);
  assert.equal(await publish({ taskIds: "*", scope: ["event:publish"], sub: "worker" }), 201);
  assert.equal(await publish({ taskIds: "*", scope: ["event:history"], sub: "worker" }), 403);
  const get = async (claims: JWTPayload) =>
    await server.call("GET", "/tasks/t", undefined, await bearer({ taskIds: "*", ...claims }));
  const scope = ["event:subscribe"];
  assert.equal((await get({ scope, org: { tier: "a", id: 1 } })).status, 200);
  assert.equal((await get({ scope, org: { tier: "a", id: 1, more: true } })).status, 403);
  assert.equal((await get({ scope, org: [1, "a"] })).status, 403);
  assert.equal((await get({ scope })).status, 403);
  // A caller that may not manage the task does not see its rules.
  assert(!("authConfig" in (await get({ scope, org: { id: 1, tier: "a" } })).body));
  assert.deepEqual(
    (await get({ scope: ["*"], org: { id: 1, tier: "a" } })).body.authConfig,
    { rules },
  );
});

Deno.test("rules and webhooks are shown only to callers whom the task's own rules let manage it", async () => {
  await using server = await startAnyServer({ app: { auth: jwt } });
  const authConfig = {
    rules: [{ match: { scope: ["task:manage" as const] }, require: { sub: ["owner"] } }],
  };
  const as = (sub: string) => bearer({ taskIds: "*", scope: ["*"], sub });
  const [owner, other] = [await as("owner"), await as("other")];
  const shown = (answer: { body: unknown }) => JSON.stringify(answer.body).includes("authConfig");
  const create = async (id: string, who: Record<string, string>) =>
    shown(await server.call("POST", "/tasks", { id, authConfig }, who));
  assert.equal(await create("a", owner), true);
  assert.equal(await create("b", other), false);
  for (const [who, expected] of [[owner, true], [other, false]] as const) {
    const get = (path: string) => server.call("GET", path, undefined, who);
    assert.equal(shown(await get("/tasks/a")), expected);
    assert.equal(shown(await get("/tasks")), expected);
    const moveTo = async (status: string) =>
      (await server.call("PATCH", "/tasks/a/status", { status }, owner)).status;
    await moveTo("running"); // The second time, it is already there.
    assert.equal(await moveTo("blocked"), 200);
    const resolved = await server.call("POST", "/tasks/a/resolve", { data: 1 }, who);
    assert.equal(resolved.status, 200);
    assert.equal(shown(resolved), expected);
    const patched = await server.call("PATCH", "/tasks/a/status", { status: "paused" }, who);
    assert.equal(patched.status, expected ? 200 : 403);
    if (expected) assert.equal(shown(patched), true);
  }
});

Deno.test("invalid task ids in a token do not affect its lists", async () => {
  await using server = await startAnyServer({ app: { auth: jwt } });
  for (const id of ["a", "b"]) await server.engine.createTask({ id });
  const taskIds = ["", "..", "a", "\0", "\ud800", "a b", "é", "x".repeat(129), "x".repeat(2000)];
  const headers = await bearer({ taskIds, scope: ["event:subscribe"] });
  const { status, body } = await server.call("GET", "/tasks", undefined, headers);
  assert.deepEqual([status, body.tasks.map(({ id }: { id: string }) => id)], [200, ["a"]]);
  assert.equal((await server.call("GET", "/tasks/a", undefined, headers)).status, 200);
  const none = await bearer({ taskIds: [""], scope: ["event:subscribe"] });
  assert.deepEqual((await server.call("GET", "/tasks", undefined, none)).body.tasks, []);
});

Deno.test("a task that is created again under the same id has its own rules", async () => {
  await using server = await startAnyServer({ app: { auth: jwt } });
  const me = await bearer({ taskIds: "*", scope: ["*"], sub: "me" });
  const publish = async () =>
    (await server.call("POST", "/tasks/t/events", { type: "n", data: 1 }, me)).status;
  await server.call("POST", "/tasks", { id: "t" }, me);
  assert.equal(await publish(), 201);
  await server.call("DELETE", "/tasks/t", undefined, me);
  assert.equal(await publish(), 404);
  const rules = [{ match: { scope: ["event:publish"] }, require: { sub: ["other"] } }];
  await server.call("POST", "/tasks", { id: "t", authConfig: { rules } }, me);
  assert.equal(await publish(), 403);
});

Deno.test("a stream ends when its token expires, and continues from its cursor with a new token", async () => {
  await using server = await startAnyServer({ app: { auth: jwt } });
  await server.engine.createTask({ id: "t" });
  await server.engine.publishEvent("t", { type: "n", data: 0 });
  const claims = { taskIds: ["t"], scope: "event:subscribe" };
  const exp = Math.floor(Date.now() / 1000) + 2;
  const url = `${server.url}/tasks/t/events`;
  let cursor: string | undefined;
  for await (const frame of frames(url, { headers: await bearer({ ...claims, exp }) })) {
    cursor = frame.id ?? cursor;
    assert.notEqual(frame.event, "taskcast.done");
  }
  assert(Date.now() >= exp * 1000 - 5);
  await server.engine.publishEvent("t", { type: "n", data: 1 });
  const next = frames(url, { cursor, headers: await bearer(claims) });
  await next.next();
  assert.equal((await next.next()).value!.data.data, 1);
  await next.return();
});

Deno.test("a ticket lets EventSource, which sends no header, follow one task and do nothing else", async () => {
  await using server = await startAnyServer({ app: { auth: jwt } });
  for (const id of ["t", "u"]) await server.engine.createTask({ id });
  await server.engine.publishEvent("t", { type: "n", data: "hello" });
  const me = await bearer({ taskIds: ["t"], scope: "event:subscribe", sub: "me" });
  const { status, body } = await server.call("POST", "/tasks/t/tickets", undefined, me);
  assert.equal(status, 201);
  assert(body.expiresAt > Date.now() && body.expiresAt <= Date.now() + 60_000);
  const source = new EventSource(`${server.url}/tasks/t/events?ticket=${body.ticket}`);
  const data = await new Promise((resolve, reject) => {
    source.addEventListener("taskcast.event", ({ data }) => resolve(JSON.parse(data).data));
    source.addEventListener("error", reject);
  });
  source.close();
  assert.equal(data, "hello");
  const refused: [string, number][] = [
    [`/tasks/u/events?ticket=${body.ticket}`, 401],
    [`/tasks/t/events?ticket=nonsense`, 401],
    [`/tasks/t?ticket=${body.ticket}`, 401],
    [`/tasks/t/events/history?ticket=${body.ticket}`, 401],
    [`/events?ticket=${body.ticket}`, 401],
  ];
  for (const [path, expected] of refused) {
    assert.equal((await server.call("GET", path)).status, expected, path);
  }
  const long = await server.call("POST", "/tasks/t/tickets", { expiresInMs: 3_600_001 }, me);
  assert.equal(long.status, 400);
});

Deno.test("a trusted service may do everything in every mode; a wrong key is refused in every mode", async () => {
  const trustedServices = { billing: "a key of many characters" };
  for (const auth of [undefined, jwt]) {
    await using server = await startAnyServer({ app: { auth, trustedServices } });
    const key = (value: string) => ({ "x-taskcast-service-key": value });
    assert.equal(
      (await server.call("POST", "/tasks", {}, key(trustedServices.billing))).status,
      201,
    );
    for (const wrong of ["", "a key of many character", "billing"]) {
      const { status, body } = await server.call("POST", "/tasks", {}, key(wrong));
      assert.equal(status, 401);
      assert.equal(body.error.code, "UNAUTHORIZED");
    }
  }
  assert.throws(
    () => startServer({ app: { trustedServices: { weak: "short" } } }),
    (error: Error) => error instanceof TypeError && !error.message.includes("short"),
  );
});

Deno.test("a custom function decides, and its errors admit nobody", async () => {
  const answers: unknown[] = [
    { taskIds: "*", scope: ["task:create"] },
    null,
    {},
    undefined,
    { taskIds: "*" },
    { taskIds: "t", scope: ["*"] },
  ];
  const errors: unknown[] = [];
  await using server = startServer({
    engine: { hooks: { onUnhandledError: (error) => void errors.push(error) } },
    // deno-lint-ignore no-explicit-any
    app: { auth: { mode: "custom", authenticate: () => answers.shift() as any } },
  });
  const statuses = [];
  for (let i = 0; i < 6; i++) statuses.push((await server.call("POST", "/tasks", {})).status);
  assert.deepEqual(statuses, [201, 401, 500, 500, 500, 500]);
  assert.equal(errors.length, 4);
});

Deno.test("invalid options of authentication are refused at the start", () => {
  const bad = [{ mode: "jwt" }, { mode: "custom" }, { mode: "open" }, {
    mode: "jwt",
    jwt: {},
  }] as unknown as TaskcastAppOptions["auth"][];
  for (const auth of bad) assert.throws(() => startServer({ app: { auth } }), TypeError);
  const flat = { mode: "jwt", secret: "of no use here" } as unknown as TaskcastAppOptions["auth"];
  assert.throws(() => startServer({ app: { auth: flat } }), {
    message: /auth\.secret is not known/,
  });
});

Deno.test("without authentication everybody may do everything, despite a task's rules", async () => {
  await using server = await startAnyServer();
  const rules = [{ match: { scope: ["*" as const] }, require: { sub: ["x"] } }];
  await server.engine.createTask({ id: "t", authConfig: { rules } });
  await server.engine.transitionTask("t", "completed");
  assert.equal((await allFrames(`${server.url}/tasks/t/events`)).at(-1)!.event, "taskcast.done");
});

Deno.test("a trusted service with scopes and task ids may do only what they allow", async () => {
  const trustedServices = {
    reader: {
      key: "the key of the reader",
      scope: ["event:subscribe" as const],
      taskIds: ["mine"],
    },
    writer: { key: "the key of the writer", scope: ["event:publish" as const] },
    keeper: { key: "the key of the keeper", taskIds: ["mine"] },
  };
  await using server = await startAnyServer({ app: { auth: jwt, trustedServices } });
  for (const id of ["mine", "other"]) await server.engine.createTask({ id });
  const statusFor = async (name: string, method: string, path: string, body?: unknown) => {
    const headers = { "x-taskcast-service-key": `the key of the ${name}` };
    return (await server.call(method, path, body, headers)).status;
  };
  const event = { type: "n", data: 1 };
  assert.equal(await statusFor("reader", "GET", "/tasks/mine"), 200);
  assert.equal(await statusFor("reader", "GET", "/tasks/other"), 403);
  assert.equal(await statusFor("reader", "POST", "/tasks/mine/events", event), 403);
  assert.equal(await statusFor("writer", "POST", "/tasks/other/events", event), 201);
  assert.equal(await statusFor("writer", "GET", "/tasks/mine"), 403);
  assert.equal(await statusFor("keeper", "POST", "/tasks/mine/events", event), 201);
  assert.equal(await statusFor("keeper", "DELETE", "/tasks/other"), 403);
  assert.equal(await statusFor("keeper", "DELETE", "/tasks/mine"), 204);
  assert.equal(await statusFor("stranger", "GET", "/tasks/other"), 401);
});
