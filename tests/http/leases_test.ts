import assert from "node:assert/strict";
import type { CreateTaskInput } from "@taskcast/core";
import { SignJWT } from "jose";
import { startAnyServer } from "../../testing/servers/any_server.ts";
import { startCli } from "../../testing/servers/cli.ts";
import { call } from "../../testing/servers/test_server.ts";
import { frames, until } from "../../testing/sse/sse.ts";

// Leases of producers, over HTTP.

const MS = 60_000;

Deno.test("a lease is granted with the task or with running, in the body and in headers", async () => {
  await using server = await startAnyServer();
  const created = await server.call("POST", "/tasks", { lease: { ms: MS, holder: "host-1" } });
  const { id, lease, leaseUntil, leaseHolder, attempt } = created.body;
  assert.equal(created.status, 201);
  assert.match(lease, /^1\.[0-9a-v]{16}$/);
  assert.deepEqual([leaseHolder, attempt], ["host-1", 1]);
  assert.equal(created.headers.get("taskcast-lease"), lease);
  assert.equal(created.headers.get("taskcast-lease-until"), String(leaseUntil));
  const running = { status: "running", lease: { ms: MS } };
  const moved = await server.call("PATCH", `/tasks/${id}/status`, running);
  assert.equal(moved.status, 200);
  assert.match(moved.body.lease, /^2\./);
  assert.equal(moved.headers.get("taskcast-lease"), moved.body.lease);
  const plain = await server.call("POST", "/tasks", {});
  assert.deepEqual([plain.body.lease, plain.headers.get("taskcast-lease")], [undefined, null]);
});

Deno.test("requests under a lost lease are refused, and change nothing", async () => {
  await using server = await startAnyServer();
  const { body: { id, lease: older } } = await server.call("POST", "/tasks", { lease: { ms: MS } });
  const running = { status: "running", lease: { ms: MS } };
  const { body: { lease } } = await server.call("PATCH", `/tasks/${id}/status`, running);
  const under = (token: string) => ({ "taskcast-lease": token });
  const event = { type: "n", data: 1 };
  for (
    const [method, path, body] of [
      ["POST", `/tasks/${id}/events`, event],
      ["POST", `/tasks/${id}/events`, [event, event]],
      ["PATCH", `/tasks/${id}/status`, { status: "completed" }],
    ] as const
  ) {
    const refused = await server.call(method, path, body, under(older));
    assert.deepEqual([refused.status, refused.body.error.code], [409, "LEASE_LOST"], path);
  }
  const taken = await server.call("POST", `/tasks/${id}/events`, event, under(lease));
  assert.equal(taken.status, 201);
  const ended = await server.call(
    "PATCH",
    `/tasks/${id}/status`,
    { status: "completed" },
    under(lease),
  );
  assert.equal(ended.status, 200);
  const late = await server.call("POST", `/tasks/${id}/events`, event, under(lease));
  assert.deepEqual([late.status, late.body.error.code], [409, "TASK_TERMINAL"]);
});

Deno.test("lines under a lease renew it as they arrive, and end when it is lost", async () => {
  await using server = await startAnyServer();
  const { body } = await server.call("POST", "/tasks", { lease: { ms: MS } });
  const { id, lease, leaseUntil } = body;
  const lines = new TransformStream<string, string>();
  const writer = lines.writable.getWriter();
  const publishing = fetch(`${server.url}/tasks/${id}/events`, {
    method: "POST",
    headers: { "content-type": "application/x-ndjson", "taskcast-lease": lease },
    body: lines.readable.pipeThrough(new TextEncoderStream()),
  });
  await writer.write("\n");
  await writer.write('{"type":"n","data":1}\n');
  for await (const frame of frames(`${server.url}/tasks/${id}/events`)) {
    if (frame.event === "taskcast.event") break;
  }
  const due = await server.call("POST", `/tasks/${id}/heartbeat`, undefined, {
    "taskcast-lease": lease,
  });
  assert.equal(due.body.state, "held");
  assert(due.body.leaseUntil >= leaseUntil);
  await server.engine.transitionTask(id, "running", { lease: { ms: MS } });
  await writer.write('{"type":"n","data":2}\n');
  const response = await publishing;
  const { error } = await response.json();
  assert.deepEqual([response.status, error.code, error.details.published], [409, "LEASE_LOST", 1]);
  await writer.close().catch(() => {});
});

Deno.test("one request renews many leases, and says of each what became of it", async () => {
  await using server = await startAnyServer();
  const create = async () => (await server.call("POST", "/tasks", { lease: { ms: MS } })).body;
  const [held, ended] = [await create(), await create()];
  await server.call("PATCH", `/tasks/${ended.id}/status`, { status: "failed" });
  const leases = [
    { taskId: held.id, lease: held.lease },
    { taskId: held.id, lease: "1.aaaaaaaaaaaaaaaa" },
    { taskId: ended.id, lease: ended.lease },
    { taskId: "none", lease: "1.aaaaaaaaaaaaaaaa" },
  ];
  const { status, body } = await server.call("POST", "/leases", { leases });
  assert.equal(status, 200);
  const states = body.leases.map(({ state }: { state: string }) => state);
  assert.deepEqual(states, ["held", "lost", "failed", "deleted"]);
  for (const wrong of [{}, { leases: [] }, { leases: [{ taskId: held.id }] }, { leases: 1 }]) {
    assert.equal((await server.call("POST", "/leases", wrong)).status, 400);
  }
  assert.equal((await server.call("POST", `/tasks/${held.id}/heartbeat`)).status, 400);
});

Deno.test("a lease of a task that the caller may not publish to is lost, whether it exists or not", async () => {
  const secret = "a secret of more than thirty-two bytes";
  await using server = await startAnyServer({ app: { auth: { mode: "jwt", jwt: { secret } } } });
  const mine = await server.engine.createTask({ id: "mine", lease: { ms: MS } });
  const other = await server.engine.createTask({ id: "other", lease: { ms: MS } });
  const token = await new SignJWT({ taskIds: ["mine"], scope: ["event:publish"] })
    .setProtectedHeader({ alg: "HS256" }).sign(new TextEncoder().encode(secret));
  const leases = [mine, other, { id: "none", lease: other.lease }]
    .map(({ id, lease }) => ({ taskId: id, lease }));
  const { body } = await server.call("POST", "/leases", { leases }, {
    authorization: `Bearer ${token}`,
  });
  const states = body.leases.map(({ state }: { state: string }) => state);
  assert.deepEqual(states, ["held", "lost", "lost"]);
});

Deno.test("permission to renew does not extend to a later task of the same id", async () => {
  const secret = "a secret of more than thirty-two bytes";
  await using server = await startAnyServer({ app: { auth: { mode: "jwt", jwt: { secret } } } });
  const token = await new SignJWT({ sub: "me", taskIds: "*", scope: ["event:publish"] })
    .setProtectedHeader({ alg: "HS256" }).sign(new TextEncoder().encode(secret));
  const authorization = `Bearer ${token}`;
  const renew = async (lease: string) => {
    const leases = [{ taskId: "again", lease }];
    const { body } = await server.call("POST", "/leases", { leases }, { authorization });
    return body.leases[0].state;
  };
  const beat = (lease: string) =>
    server.call("POST", "/tasks/again/heartbeat", undefined, {
      authorization,
      "taskcast-lease": lease,
    });
  const create = async (input: CreateTaskInput = {}) => {
    const { lease } = await server.engine.createTask({ id: "again", lease: { ms: MS }, ...input });
    return lease!;
  };
  const first = await create();
  assert.equal(await renew(first), "held"); // The server now knows the rules of this task.
  await server.engine.deleteTask("again");
  const second = await create();
  assert.deepEqual([await renew(first), await renew(second)], ["lost", "held"]);
  await server.engine.deleteTask("again");
  const require = { claims: { sub: "somebody else" } };
  const third = await create({
    authConfig: { rules: [{ match: { scope: ["event:publish"] }, require }] },
  });
  await server.engine.transitionTask("again", "failed");
  assert.deepEqual([await renew(second), await renew(third)], ["lost", "lost"]);
  assert.equal((await beat(third)).status, 403);
});

Deno.test("the token of a lease is shown to nobody but its holder", async () => {
  await using server = await startCli(["--log-level", "debug", "--host", "127.0.0.1"]);
  const request = call(server.url);
  const { body: { id, lease } } = await request("POST", "/tasks", { lease: { ms: MS } });
  const [attempt, secret] = lease.split(".");
  assert.equal(attempt, "1");
  const under = { "taskcast-lease": lease };
  const ofAll = await fetch(`${server.url}/events`);
  const shown: Record<string, string> = {};
  const send = async (method: string, path: string, body?: unknown) => {
    const { body: answer } = await request(method, `/tasks/${id}${path}`, body, under);
    shown[`${method} ${path} ${Object.keys(shown).length}`] = JSON.stringify(answer);
  };
  await send("PATCH", "/status", { status: "running" });
  await send("POST", "/events", { type: "n", data: 1 });
  await send("POST", "/heartbeat");
  await send("POST", "/lease", { ms: MS }); // 409: held.
  await send("GET", "");
  shown["the list"] = JSON.stringify((await request("GET", "/tasks")).body);
  await send("POST", "/cancel", { graceMs: 60_000 });
  await send("POST", "/cancel/seen");
  await send("PATCH", "/status", { status: "completed" });
  await send("PATCH", "/status", { status: "failed" }); // 409: it has ended.
  await send("POST", "/events", { type: "n", data: 1 }); // 409: it has ended.
  await send("POST", "/heartbeat");
  await send("GET", "");
  for (const path of ["/events", "/events/history"]) {
    const response = await fetch(`${server.url}/tasks/${id}${path}`);
    assert.equal(response.status, 200);
    shown[path] = await response.text();
  }
  shown["/events of all tasks"] = "";
  for await (const text of ofAll.body!.pipeThrough(new TextDecoderStream())) {
    shown["/events of all tasks"] += text;
    if (text.includes("completed")) break;
  }
  const { process } = server;
  await until(
    () => process.err.includes("/heartbeat") || process.out.includes("/heartbeat"),
    "log",
  );
  shown["the log"] = process.out + process.err;
  for (const [where, text] of Object.entries(shown)) {
    assert(text.includes(id) || text.includes("state"), `${where} is about the task: ${text}`);
    assert(!text.includes(secret), where);
  }
});
