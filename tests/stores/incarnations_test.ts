import assert from "node:assert/strict";
import type { ShortTermStore, TaskRecord } from "@taskcast/core/adapter";
import { MemoryBroadcastProvider, MemoryShortTermStore } from "@taskcast/core";
import type { Scope } from "@taskcast/core/protocol";
import { SignJWT } from "jose";
import { openBody } from "../../testing/network/open_body.ts";
import { frames, until } from "../../testing/sse/sse.ts";
import type { TestServer } from "../../testing/servers/test_server.ts";
import { startServer } from "../../testing/servers/test_server.ts";

// Rights and requests belong to one incarnation of a task. A deleted id may be created again, by
// somebody else and with other rules.

const secret = "a secret of more than thirty-two bytes";
const auth = { mode: "jwt", jwt: { secret } } as const;
const NDJSON = { "content-type": "application/x-ndjson" };
const line = (data: unknown) => JSON.stringify({ type: "n", data }) + "\n";

async function as(sub: string, scope: readonly Scope[] = ["*"]): Promise<Record<string, string>> {
  const token = await new SignJWT({ sub, scope, taskIds: "*" })
    .setProtectedHeader({ alg: "HS256" }).setExpirationTime("1h")
    .sign(new TextEncoder().encode(secret));
  return { authorization: `Bearer ${token}` };
}

const onlyFor = (...sub: string[]) => ({
  rules: [{ match: { scope: ["*" as const] }, require: { sub } }],
});

/** Operations on the task `t`, with the status for permitted callers. */
const STEPS: Record<string, { method: string; path: string; body?: unknown; status: number }> = {
  publish: { method: "POST", path: "/events", body: { type: "n", data: "mine" }, status: 201 },
  "publish an array": {
    method: "POST",
    path: "/events",
    body: [{ type: "n", data: "mine" }, { type: "n", data: "mine" }],
    status: 201,
  },
  "publish lines": { method: "POST", path: "/events", body: line("mine"), status: 201 },
  "read the history": { method: "GET", path: "/events/history", status: 200 },
  "read the task": { method: "GET", path: "", status: 200 },
  "move it": { method: "PATCH", path: "/status", body: { status: "running" }, status: 200 },
  "read its webhooks": { method: "GET", path: "/webhooks", status: 200 },
  "retry a webhook": {
    method: "POST",
    path: "/webhooks/retry",
    body: { hook: "x" },
    status: 404,
  },
  "get a ticket": { method: "POST", path: "/tickets", body: {}, status: 201 },
  "read what it waits for": { method: "GET", path: "/request", status: 404 },
  "resolve": { method: "POST", path: "/resolve", body: { data: 1 }, status: 409 },
  "delete it": { method: "DELETE", path: "", status: 204 },
};

async function statusOfStep(server: TestServer, step: string, headers: Record<string, string>) {
  const { method, path, body } = STEPS[step]!;
  const type = step === "publish lines" ? NDJSON : {};
  return await server.call(method, `/tasks/t${path}`, body, { ...headers, ...type });
}

async function statusOfStream(url: string, headers = {}): Promise<number> {
  const stop = new AbortController();
  const response = await fetch(url, { headers, signal: stop.signal });
  stop.abort();
  await response.body?.cancel().catch(() => {});
  return response.status;
}

Deno.test("a permission for a task does not carry over to the next task with its id", async () => {
  const [ours, theirs] = [await as("ours"), await as("theirs")];
  for (const step of Object.keys(STEPS)) {
    await using server = startServer({ app: { auth } });
    const { engine } = server;
    await engine.createTask({ id: "t", authConfig: onlyFor("ours") });
    // Every server that caches rules has them in its cache.
    assert.equal((await statusOfStep(server, "publish", ours)).status, 201);
    assert.equal((await statusOfStep(server, "publish", theirs)).status, 403, step);
    await engine.deleteTask("t"); // Without the app noticing.
    await engine.createTask({ id: "t", authConfig: onlyFor("theirs") });

    const refused = await statusOfStep(server, step, ours);
    assert.deepEqual([refused.status, refused.body.error.code], [403, "FORBIDDEN"], step);
    const { task } = (await engine.readTask("t"))!;
    assert.deepEqual([task.status, task.lastIndex], ["pending", -1], step);
    // The cache refuses nobody.
    assert.equal((await statusOfStep(server, step, theirs)).status, STEPS[step]!.status, step);
  }
});

Deno.test("no caller is refused by the rules of a deleted task", async () => {
  const theirs = await as("theirs");
  for (const step of Object.keys(STEPS)) {
    await using server = startServer({ app: { auth } });
    await server.engine.createTask({ id: "t", authConfig: onlyFor("ours") });
    assert.equal((await statusOfStep(server, "publish", await as("ours"))).status, 201);
    await server.engine.deleteTask("t");
    await server.engine.createTask({ id: "t", authConfig: onlyFor("theirs") });
    assert.equal((await statusOfStep(server, step, theirs)).status, STEPS[step]!.status, step);
  }
});

Deno.test("an operation during a re-creation is authorized again, once, by the new rules", async () => {
  const [ours, theirs] = [await as("ours"), await as("theirs")];
  for (const [who, expected] of [[ours, 403], [theirs, 201]] as const) {
    const store = new MemoryShortTermStore();
    await using server = startServer({ engine: { shortTermStore: store }, app: { auth } });
    const { engine } = server;
    await engine.createTask({ id: "t", authConfig: onlyFor("ours", "theirs") });
    // Between the read for the decision and the step.
    let commits = 0;
    const { commit } = store;
    store.commit = async (change) => {
      if (change.expect !== "absent" && commits++ === 0) {
        await engine.deleteTask("t");
        await engine.createTask({ id: "t", authConfig: onlyFor("theirs") });
      }
      return await commit.call(store, change);
    };
    const answer = await statusOfStep(server, "publish", who);
    assert.equal(answer.status, expected);
    assert.equal((await engine.getTask("t"))!.lastIndex, expected === 201 ? 0 : -1);
    assert.equal(commits, expected === 201 ? 2 : 1);
  }
});

Deno.test("a publish by a known caller needs no read, even after ten seconds", async () => {
  const store = new MemoryShortTermStore();
  let reads = 0;
  const { getTask } = store;
  store.getTask = (id) => {
    reads++;
    return getTask.call(store, id);
  };
  await using server = startServer({ engine: { shortTermStore: store }, app: { auth } });
  const ours = await as("ours");
  await server.engine.createTask({ id: "t", authConfig: onlyFor("ours") });
  assert.equal((await statusOfStep(server, "publish", ours)).status, 201);
  const { now } = Date;
  try {
    Date.now = () => now() + 60_000;
    const before = reads;
    for (let i = 0; i < 5; i++) {
      assert.equal((await statusOfStep(server, "publish", ours)).status, 201);
    }
    assert.equal(reads, before);
  } finally {
    Date.now = now;
  }
});

Deno.test("a ticket opens the task that it was issued for, and not the next one of its id", async () => {
  for (const app of [{ auth }, {}]) {
    await using server = startServer({ app });
    const { engine } = server;
    await engine.createTask({ id: "t" });
    const { body } = await server.call("POST", "/tasks/t/tickets", {}, await as("ours"));
    const url = `${server.url}/tasks/t/events?ticket=${body.ticket}`;
    assert.equal(await statusOfStream(url), 200);
    await engine.transitionTask("t", "completed");
    assert.equal(await statusOfStream(url), 200);
    await engine.deleteTask("t");
    assert.equal(await statusOfStream(url), 404);
    await engine.createTask({ id: "t", authConfig: onlyFor("theirs") });
    await engine.publishEvent("t", { type: "n", data: "secret" });
    assert.equal(await statusOfStream(url), 401);
    const again = await server.call("POST", "/tasks/t/tickets", {}, await as("theirs"));
    assert.equal(
      await statusOfStream(`${server.url}/tasks/t/events?ticket=${again.body.ticket}`),
      200,
    );
  }
});

Deno.test("a stream whose task is deleted and created again ends, and shows nothing of the new log", async () => {
  const store = new MemoryShortTermStore();
  await using server = startServer({ engine: { shortTermStore: store }, app: { auth } });
  const { engine } = server;
  await engine.createTask({ id: "t", authConfig: onlyFor("ours") });
  // The rules are read, then the id gets another task, then the stream is opened.
  let reads = 0;
  const { getTask } = store;
  store.getTask = async (id) => {
    const head = await getTask.call(store, id);
    if (++reads === 1) {
      await engine.deleteTask("t");
      await engine.createTask({ id: "t", authConfig: onlyFor("theirs") });
      await engine.publishEvent("t", { type: "n", data: "secret" });
    }
    return head;
  };
  const url = `${server.url}/tasks/t/events`;
  assert.equal(await statusOfStream(url, await as("ours")), 403);
  assert.equal(await statusOfStream(url, await as("theirs")), 200);

  const seen: string[] = [];
  for await (const { event, data } of frames(url, { headers: await as("theirs") })) {
    seen.push(`${event} ${data.reason ?? data.data ?? ""}`.trim());
    if (data.data !== "secret") continue;
    await engine.deleteTask("t");
    await engine.createTask({ id: "t" });
    await engine.publishEvent("t", { type: "n", data: "new" });
  }
  assert.deepEqual(seen, ["taskcast.open", "taskcast.event secret", "taskcast.done deleted"]);
});

Deno.test("a history that is read during a deletion is complete and of one task", async () => {
  for (const seriesFormat of ["delta", "accumulated"]) {
    for (const read of ["readLog", "countMatches"] as const) {
      for (const isCreatedAgain of [true, false]) {
        const store = new MemoryShortTermStore();
        await using server = startServer({ engine: { shortTermStore: store }, app: { auth } });
        const { engine } = server;
        const publish = (data: string) =>
          engine.publishEvents("t", [{ type: "a", data }, { type: "n", data }]);
        await engine.createTask({ id: "t", authConfig: onlyFor("ours", "theirs") });
        await publish("old");
        const original = store[read] as (...args: unknown[]) => Promise<unknown>;
        let isOvertaken = false;
        store[read] = async (...args: unknown[]) => {
          if (!isOvertaken) {
            isOvertaken = true;
            await engine.deleteTask("t");
            if (isCreatedAgain) {
              await engine.createTask({ id: "t", authConfig: onlyFor("theirs") });
              await publish("new");
            }
          }
          return await original.apply(store, args) as never;
        };
        const query = `?types=n&seriesFormat=${seriesFormat}`;
        const history = (headers: Record<string, string>) =>
          server.call("GET", `/tasks/t/events/history${query}`, undefined, headers);
        const { status, body } = await history(await as("ours"));
        if (!isOvertaken) {
          assert.deepEqual([read, seriesFormat], ["countMatches", "delta"]);
          assert.equal(status, 200);
          continue;
        }
        assert.equal(status, isCreatedAgain ? 403 : 404, `${read} ${seriesFormat}`);
        assert(!JSON.stringify(body).includes("new"));
        if (!isCreatedAgain) continue;
        const theirs = await history(await as("theirs"));
        assert.deepEqual(theirs.body.map(({ data }: { data: string }) => data), ["new"]);
      }
    }
  }
});

Deno.test("lines of a request go to the task that it was opened for, and never to the next one", async () => {
  for (const app of [{ auth }, {}]) {
    for (let round = 0; round < 20; round++) {
      await using server = startServer({ app });
      const { engine } = server;
      await engine.createTask({ id: "t" });
      const { body, write, close } = openBody();
      const answer = fetch(`${server.url}/tasks/t/events`, {
        method: "POST",
        headers: { ...NDJSON, ...await as("ours") },
        body,
      });
      await write(line("first"));
      await until(async () => (await engine.getTask("t"))!.lastIndex === 0, "it is stored");
      await engine.deleteTask("t");
      await engine.createTask({ id: "t" });
      // The request may be answered before the line arrives.
      await write(line("second") + line("third")).catch(() => {});
      const { status, body: { error } } = await answer.then(async (response) => ({
        status: response.status,
        body: await response.json(),
      }));
      await close().catch(() => {});
      assert.deepEqual([status, error.code], [404, "TASK_NOT_FOUND"]);
      assert.deepEqual([error.details.published, error.details.line], [1, 2]);
      assert.equal((await engine.getTask("t"))!.lastIndex, -1);
    }
  }
});

Deno.test("a change during a re-creation is not applied to the new task", async () => {
  const store = new MemoryShortTermStore();
  await using server = startServer({ engine: { shortTermStore: store } });
  const { engine } = server;
  await engine.createTask({ id: "t" });
  const { commit } = store;
  store.commit = async (change) => {
    if (typeof change.expect === "object") {
      store.commit = commit;
      await engine.deleteTask("t");
      await engine.createTask({ id: "t" });
    }
    return await commit.call(store, change);
  };
  const answer = await statusOfStep(server, "move it", {});
  assert.deepEqual([answer.status, answer.body.error.code], [404, "TASK_NOT_FOUND"]);
  assert.equal((await engine.getTask("t"))!.status, "pending");
});

Deno.test("calls of the engine can name an incarnation, and report when it is gone", async () => {
  const broadcast = new MemoryBroadcastProvider();
  const store = new MemoryShortTermStore();
  await using server = startServer({ engine: { broadcast, shortTermStore: store } });
  const { engine } = server;
  await engine.createTask({ id: "t" });
  const { incarnation } = (await engine.readTask("t"))!;
  const at = { incarnation };
  assert.equal((await engine.publishEvent("t", { type: "n", data: 1 }, at)).index, 0);
  assert.equal((await engine.transitionTask("t", "running", {}, at)).status, "running");
  await engine.deleteTask("t", at);
  const calls: Record<string, () => Promise<unknown>> = {
    publishEvent: () => engine.publishEvent("t", { type: "n", data: 1 }, at),
    publishEvents: () => engine.publishEvents("t", [{ type: "n", data: 1 }], at),
    transitionTask: () => engine.transitionTask("t", "completed", {}, at),
    resolve: () => engine.resolve("t", 1, at),
    deleteTask: () => engine.deleteTask("t", at),
    getEvents: () => engine.getEvents("t", at),
    getWebhooks: () => engine.getWebhooks("t", at),
    retryWebhook: () => engine.retryWebhook("t", "x", at),
    openEndWatch: () => engine.openEndWatch("t", () => {}, at),
    subscribe: () => Array.fromAsync(engine.subscribe("t", at)),
  };
  const refused = async (details: Record<string, unknown>) => {
    for (const [name, call] of Object.entries(calls)) {
      await assert.rejects(call(), { code: "TASK_NOT_FOUND", details }, name);
    }
  };
  await refused({ taskId: "t" });
  await engine.createTask({ id: "t" });
  await engine.transitionTask("t", "running");
  const before = await snapshot(store);
  await refused({ taskId: "t", replaced: true });
  assert.deepEqual(await snapshot(store), before);
  const endings: string[] = [];
  await engine.watchEnd("t", (ending) => endings.push(ending), at);
  assert.deepEqual(endings, ["deleted"]);
  for (const wrong of [5, null, {}]) {
    const incarnation = wrong as string;
    await assert.rejects(engine.publishEvent("t", { type: "n", data: 1 }, { incarnation }), {
      code: "INVALID_INPUT",
    });
  }
});

async function snapshot(store: ShortTermStore): Promise<{ record: TaskRecord; length: number }> {
  return (await store.getTask("t"))!;
}
