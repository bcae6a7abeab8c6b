import assert from "node:assert/strict";
import { serve } from "@hono/node-server";
import type { AuthContext } from "@taskcast/core/config";
import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
import { createTaskcastApp } from "@taskcast/server";
import { until } from "../../testing/sse/sse.ts";
import { call, startServer } from "../../testing/servers/test_server.ts";

// An operation can read a body that the host's authenticate function has already read.

const EVERYTHING: AuthContext = { taskIds: "*", scope: ["*"] };
const NDJSON = { "content-type": "application/x-ndjson" };

interface Running {
  url: string;
  engine: TaskEngine;
  call: ReturnType<typeof call>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Serves with Deno itself, or with the adapter to Node's server, which has its own kind of
 * requests.
 */
async function start(
  authenticate: (request: Request) => unknown,
  { maxBodyBytes, listener = "deno" }: { maxBodyBytes?: number; listener?: "deno" | "node" } = {},
): Promise<Running> {
  const app = {
    auth: {
      mode: "custom" as const,
      authenticate: async (request: Request) => {
        await authenticate(request);
        return EVERYTHING;
      },
    },
    maxBodyBytes,
  };
  if (listener === "deno") return startServer({ app });
  const engine = new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
  });
  const { fetch } = createTaskcastApp({ engine, ...app });
  const server = serve({ fetch, port: 0, hostname: "127.0.0.1", overrideGlobalObjects: false });
  await new Promise((resolve) => server.once("listening", resolve));
  const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  return {
    url,
    engine,
    call: call(url),
    async [Symbol.asyncDispose]() {
      await engine.close();
      (server as unknown as { closeAllConnections(): void }).closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const text = (bytes: ArrayBuffer | Uint8Array) => new TextDecoder().decode(bytes);

/** Every way to read a body; each returns its text. */
const READINGS: Record<string, (request: Request) => Promise<string>> = {
  text: (request) => request.text(),
  json: async (request) => JSON.stringify(await request.json()),
  arrayBuffer: async (request) => text(await request.arrayBuffer()),
  blob: async (request) => (await request.blob()).text(),
  body: async (request) => await new Response(request.body).text(),
  "a part of the body": async (request) => {
    const reader = request.body!.getReader();
    await reader.read();
    await reader.cancel();
    return await request.text();
  },
  clone: async (request) => await request.clone().text(),
  "clone and itself": async (request) => {
    const clone = request.clone();
    await request.text();
    return await clone.text();
  },
  twice: async (request) => {
    await request.json();
    assert.equal(request.bodyUsed, false);
    return await request.text();
  },
};
if ("bytes" in Request.prototype) {
  READINGS.bytes = async (request) => text(await request.bytes());
}

const CASES = Object.entries(READINGS).flatMap(([name, read]) =>
  (["deno", "node"] as const).map((listener) => ({ name, read, listener }))
);
for (const { name, read, listener } of CASES) {
  Deno.test(`authenticate may read the body (${name}), and the operation gets it too: ${listener}`, async () => {
    const seen: string[] = [];
    await using server = await start(async (request) => {
      assert(request instanceof Request);
      if (request.method === "POST") seen.push(await read(request));
    }, { listener });
    const task = { id: "t", metadata: { note: "é🎉" } };
    assert.equal((await server.call("POST", "/tasks", task)).status, 201);
    assert.deepEqual((await server.call("GET", "/tasks/t")).body.metadata, task.metadata);
    // Sent in chunks, without a length.
    const body = new ReadableStream({
      start(controller) {
        for (const part of ['{"type":"a",', '"data":1}']) {
          controller.enqueue(new TextEncoder().encode(part));
        }
        controller.close();
      },
    });
    const published = await fetch(`${server.url}/tasks/t/events`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
      duplex: "half",
    } as RequestInit);
    assert.equal(published.status, 201);
    await published.body?.cancel();
    assert.deepEqual(seen, [JSON.stringify(task), '{"type":"a","data":1}']);
    assert.equal((await server.call("DELETE", "/tasks/t")).status, 204);
  });
}

Deno.test("a body is not read ahead if the authenticate function does not read it", async () => {
  await using server = await start((request) => void request.headers.get("x"));
  await server.call("POST", "/tasks", { id: "t" });
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const answer = fetch(`${server.url}/tasks/t/events`, {
    method: "POST",
    headers: NDJSON,
    body: readable,
    duplex: "half",
  } as RequestInit);
  // Lines are stored while the body continues.
  for (const index of [0, 1]) {
    await writer.write(new TextEncoder().encode(`{"type":"a","data":${index}}\n`));
    await until(
      async () => (await server.engine.getTask("t"))?.lastIndex === index,
      `line ${index} is stored`,
    );
  }
  await writer.close();
  assert.deepEqual(await (await answer).json(), { published: 2, lastIndex: 1 });
});

Deno.test("reading a stream of lines in authenticate is refused at once", async () => {
  await using server = await start((request) => request.method === "POST" && request.text());
  assert.equal((await server.call("POST", "/tasks", { id: "t" })).status, 201);
  // The body never ends, so waiting for its end would hang the test.
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  writer.write(new TextEncoder().encode('{"type":"a","data":1}\n')).catch(() => {});
  const answer = await fetch(`${server.url}/tasks/t/events`, {
    method: "POST",
    headers: NDJSON,
    body: readable,
    duplex: "half",
  } as RequestInit);
  assert.equal(answer.status, 415);
  assert.match((await answer.json()).error.message, /to authenticate the caller/);
  await writer.abort().catch(() => {});
  assert.equal((await server.engine.getTask("t"))?.lastIndex, -1);
});

Deno.test("authenticate buffers no more of a body than its size limit", async () => {
  await using server = await start((request) => request.method === "POST" && request.text(), {
    maxBodyBytes: 100,
  });
  const small = { id: "t", metadata: { x: "y".repeat(50) } };
  assert.equal((await server.call("POST", "/tasks", small)).status, 201);
  const answer = await server.call("POST", "/tasks", { metadata: { x: "y".repeat(100) } });
  assert.deepEqual([answer.status, answer.body.error.code], [413, "PAYLOAD_TOO_LARGE"]);
});

Deno.test("an authenticate function that consumes the body another way is refused with a reason", async () => {
  await using server = await start((request) => request.method === "POST" && new Request(request));
  const { status, body } = await server.call("POST", "/tasks", { id: "t" });
  assert.deepEqual([status, body.error.code], [500, "INTERNAL"]);
  assert.equal(await server.engine.getTask("t"), undefined);
});
