import assert from "node:assert/strict";
import { createRedisAdapters } from "@taskcast/redis";
import type { CommitResult } from "@taskcast/core/adapter";
import { MemoryShortTermStore } from "@taskcast/core";
import { TaskcastError } from "@taskcast/core/protocol";
import { TaskcastServerClient } from "@taskcast/server-sdk";
import { leftOut } from "../../testing/left_out.ts";
import { openBody } from "../../testing/network/open_body.ts";
import { redisProgram, startRedis } from "../../testing/databases/redis_server.ts";
import { until } from "../../testing/sse/sse.ts";
import type { TestServer } from "../../testing/servers/test_server.ts";
import { startServer } from "../../testing/servers/test_server.ts";

// Requests with lines whose outcome is unknown, and requests that outlast their permission.

const NDJSON = { "content-type": "application/x-ndjson" };
const line = (data: unknown) => JSON.stringify({ type: "n", data }) + "\n";

async function stored({ engine }: TestServer, id: string): Promise<unknown[]> {
  return (await engine.getEvents(id, { limit: 10_000 })).events.map(({ data }) => data);
}

/** Opens a request, stores one line with it, and returns the means to continue. */
async function openRequest(server: TestServer, id: string, headers = {}) {
  const body = openBody();
  const answered = fetch(`${server.url}/tasks/${id}/events`, {
    method: "POST",
    headers: { ...NDJSON, ...headers },
    body: body.body,
  }).then(async (response) => ({ status: response.status, body: await response.json() }));
  await body.write(line("first"));
  const { engine } = server;
  await until(async () => (await engine.getTask(id))!.lastIndex === 0, "the first is stored");
  return { ...body, answered };
}

/** Outcomes of a commit whose answer is lost. */
const OUTCOMES = { "carried out": true, "not carried out": false };

for (const [name, isCarriedOut] of Object.entries(OUTCOMES)) {
  const errors = [new TaskcastError("STORE_UNAVAILABLE", "Nobody answers"), new Error("a bug")];
  for (const [i, error] of errors.entries()) {
    Deno.test(`lines with an unknown outcome are not sent again: ${name}, error ${i}`, async () => {
      const store = new MemoryShortTermStore();
      await using server = startServer({ engine: { shortTermStore: store } });
      const { id } = await server.engine.createTask();
      const { write, close, answered } = await openRequest(server, id);
      const { commit } = store;
      let calls = 0;
      store.commit = async (change): Promise<CommitResult> => {
        calls++;
        if (isCarriedOut) await commit.call(store, change);
        throw error;
      };
      await write([0, 1, 2, 3, 4].map(line).join(""));
      const { status, body } = await answered;
      await close().catch(() => {});
      assert.equal(calls, 1);
      const { published, lastIndex, line: number } = body.error.details;
      assert.deepEqual({ published, lastIndex, number }, { published: 1, lastIndex: 0, number: 2 });
      assert.deepEqual(
        [status, body.error.code],
        i === 0 ? [503, "STORE_UNAVAILABLE"] : [500, "INTERNAL"],
      );
      assert.doesNotMatch(JSON.stringify(body), /a bug/);
      assert.deepEqual(
        await stored(server, id),
        isCarriedOut ? ["first", 0, 1, 2, 3, 4] : ["first"],
      );
    });
  }
}

Deno.test("lines before an invalid one in the same commit are stored once", async () => {
  await using server = startServer({ engine: { limits: { maxEventsPerTask: 4 } } });
  const { id } = await server.engine.createTask();
  const { write, close, answered } = await openRequest(server, id);
  await write([0, 1, 2, 3, 4].map(line).join(""));
  const { status, body: { error } } = await answered;
  await close().catch(() => {});
  assert.deepEqual([status, error.code], [409, "TASK_FULL"]);
  assert.deepEqual([error.details.published, error.details.line], [4, 5]);
  assert.deepEqual(await stored(server, id), ["first", 0, 1, 2]);
});

async function frozenRedis(): Promise<void> {
  await using redis = await startRedis();
  const { broadcast, shortTerm } = createRedisAdapters(redis.url, { timeoutMs: 200 });
  {
    await using server = startServer({ engine: { broadcast, shortTermStore: shortTerm } });
    const { id } = await server.engine.createTask();
    const { write, close, answered } = await openRequest(server, id);
    redis.process.kill("SIGSTOP");
    await write([0, 1, 2, 3, 4].map(line).join(""));
    const { status, body: { error } } = await answered;
    await close().catch(() => {});
    redis.process.kill("SIGCONT");
    assert.deepEqual([status, error.code], [503, "STORE_UNAVAILABLE"]);
    assert.deepEqual([error.details.published, error.details.lastIndex], [1, 0]);
    // Later commands run after everything that Redis is still executing.
    const { engine } = server;
    await until(async () => {
      try {
        return (await engine.publishEvent(id, { type: "n", data: "last" })).index > 0;
      } catch (error) {
        return (error as TaskcastError).code !== "STORE_UNAVAILABLE" && Promise.reject(error);
      }
    }, "Redis answers again");
    const log = (await stored(server, id)).filter((value) => value !== "last");
    assert.deepEqual(log, log.length === 1 ? ["first"] : ["first", 0, 1, 2, 3, 4]);
  }
  await shortTerm.close();
  await broadcast.close();
}

if (await redisProgram() === undefined) {
  leftOut("Lines that a frozen Redis does not answer for", "redis-server");
} else {
  Deno.test(
    "lines that a frozen Redis does not answer for end the request with 503, and are stored once",
    frozenRedis,
  );
}

/** Starts a server whose callers' tokens contain the milliseconds for which they are valid. */
function startExpiring(): { server: TestServer; expiries: number[] } {
  const expiries: number[] = [];
  const server = startServer({
    app: {
      auth: {
        mode: "custom",
        authenticate(request) {
          const token = request.headers.get("authorization")?.replace("Bearer ", "");
          const expiresAtMs = Date.now() + Number(token);
          expiries.push(expiresAtMs);
          return { taskIds: "*", scope: ["*"], expiresAtMs };
        },
      },
    },
  });
  return { server, expiries };
}

Deno.test("a request of lines ends when its token expires, and reports its progress", async () => {
  const { server, expiries } = startExpiring();
  await using _ = server;
  const { id } = await server.engine.createTask();
  const headers = { authorization: "Bearer 1000" };
  const { close, answered } = await openRequest(server, id, headers);
  const { status, body: { error } } = await answered; // The body is still open.
  assert(Date.now() >= expiries[0]!);
  await close().catch(() => {});
  assert.deepEqual([status, error.code], [401, "UNAUTHORIZED"]);
  assert.match(error.message, /^Line 2: .*expired/);
  const { published, lastIndex, line: number } = error.details;
  assert.deepEqual({ published, lastIndex, number }, { published: 1, lastIndex: 0, number: 2 });
  assert.deepEqual(await stored(server, id), ["first"]);
});

Deno.test("a producer that never pauses stores nothing after its token expired", async () => {
  const { server, expiries } = startExpiring();
  await using _ = server;
  const { id } = await server.engine.createTask();
  const headers = { authorization: "Bearer 1000" };
  const { write, close, answered } = await openRequest(server, id, headers);
  let isAnswered = false;
  answered.finally(() => isAnswered = true).catch(() => {});
  /** The first line that was sent too late. */
  let late = Infinity;
  for (let i = 0; !isAnswered; i++) {
    if (Date.now() >= expiries[0]!) late = Math.min(late, i);
    await write(line(i)).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const { status, body: { error } } = await answered;
  await close().catch(() => {});
  assert.equal(status, 401);
  const [, ...log] = await stored(server, id);
  assert.equal(error.details.published, log.length + 1);
  assert(log.length <= late);
  assert.deepEqual(log, log.map((_, i) => i));
});

Deno.test("a body that arrives after its token has expired is refused, and changes nothing", async () => {
  const { server, expiries } = startExpiring();
  await using _ = server;
  const { id } = await server.engine.createTask();
  for (
    const [method, path, json] of [
      ["POST", "events", '{"type":"n","data":1}'],
      ["PATCH", "status", '{"status":"running"}'],
    ] as const
  ) {
    expiries.length = 0;
    const { body, write, close } = openBody();
    const answered = fetch(`${server.url}/tasks/${id}/${path}`, {
      method,
      headers: { "content-type": "application/json", authorization: "Bearer 200" },
      body,
    }).then(async (response) => ({ status: response.status, body: await response.json() }));
    await write(json.slice(0, 5));
    await until(() => expiries.length > 0 && Date.now() >= expiries[0]!, "it has expired");
    await write(json.slice(5));
    await close();
    const { status, body: { error } } = await answered;
    assert.deepEqual([status, error.code], [401, "UNAUTHORIZED"]);
  }
  const { lastIndex, status } = (await server.engine.getTask(id))!;
  assert.deepEqual([lastIndex, status], [-1, "pending"]);
});

Deno.test("openPublisher() continues with a new token when its token expires, also while idle", async () => {
  const { server } = startExpiring();
  await using _ = server;
  const { id } = await server.engine.createTask();
  let tokens = 0;
  let refusals = 0;
  const client = new TaskcastServerClient({
    baseUrl: server.url,
    token: () => tokens++ < 5 ? "100" : "60000",
    fetch: async (input, init) => {
      const response = await fetch(input, init);
      if (response.status === 401) refusals++;
      return response;
    },
  });
  const publisher = client.openPublisher(id);
  await publisher.publish({ type: "n", data: 0 });
  await until(() => refusals >= 3, "some tokens have expired");
  await publisher.publish({ type: "n", data: 1 });
  assert.deepEqual(await publisher.close(), { published: 2, lastIndex: 1 });
  assert.deepEqual(await stored(server, id), [0, 1]);

  // A token that cannot be replaced ends the publisher.
  const last = new TaskcastServerClient({ baseUrl: server.url, token: "200" }).openPublisher(id);
  await last.publish({ type: "n", data: 2 });
  await until(() => last.signal.aborted, "the publisher has ended");
  assert.equal(last.signal.reason.code, "UNAUTHORIZED");
});
