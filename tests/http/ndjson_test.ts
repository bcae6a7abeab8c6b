import assert from "node:assert/strict";
import { TaskcastServerClient } from "@taskcast/server-sdk";
import { until } from "../../testing/sse/sse.ts";
import { openBody } from "../../testing/network/open_body.ts";
import { startAnyServer } from "../../testing/servers/any_server.ts";

const NDJSON = { "content-type": "application/x-ndjson" };
const line = (data: unknown, fields = {}) => JSON.stringify({ type: "n", data, ...fields }) + "\n";

Deno.test("lines are stored as they arrive, wherever chunks are cut", async () => {
  await using server = await startAnyServer();
  const { id } = await server.engine.createTask();
  const { body, writeBytes, close } = openBody();
  const answer = fetch(`${server.url}/tasks/${id}/events`, {
    method: "POST",
    headers: NDJSON,
    body,
  });
  const bytes = new TextEncoder().encode(line("é1") + "\r\n" + line("日本") + line(3).trimEnd());
  for (const byte of bytes) await writeBytes(new Uint8Array([byte]));
  await until(async () => (await server.engine.getTask(id))!.lastIndex === 1, "two are stored");
  await close();
  const response = await answer;
  assert.equal(response.status, 201);
  assert.deepEqual(await response.json(), { published: 3, lastIndex: 2 });
  const { events } = await server.engine.getEvents(id);
  assert.deepEqual(events.map((event) => event.data), ["é1", "日本", 3]);
});

Deno.test("an invalid line ends the request and is named; lines before it stay stored", async () => {
  await using server = await startAnyServer({ app: { maxBodyBytes: 1_000 } });
  const bad: [string, number, RegExp][] = [
    ["{nope\n", 400, /Line 3: .*not valid JSON/],
    [line(1, { type: "taskcast:x" }), 400, /Line 3: .*"type"/],
    [line(1, { producerId: "p", producerSeq: 5 }), 409, /Line 3: .*producerSeq 0/],
    [line("x".repeat(1_000)), 413, /Line 3: .*1000/],
  ];
  for (const [text, status, message] of bad) {
    const { id } = await server.engine.createTask();
    const all = line(1) + line(2) + text + line(4);
    const answer = await server.call("POST", `/tasks/${id}/events`, all, NDJSON);
    assert.equal(answer.status, status);
    assert.match(answer.body.error.message, message);
    const { published, lastIndex, line: number } = answer.body.error.details;
    assert.deepEqual({ published, lastIndex, number }, { published: 2, lastIndex: 1, number: 3 });
    assert.equal((await server.engine.getTask(id))!.lastIndex, 1);
  }
});

Deno.test("when the task ends, an open request is answered at once", async () => {
  await using server = await startAnyServer();
  const { id } = await server.engine.createTask();
  const { body, write, close } = openBody();
  const answer = fetch(`${server.url}/tasks/${id}/events`, {
    method: "POST",
    headers: NDJSON,
    body,
  });
  await write(line(1));
  await until(async () => (await server.engine.getTask(id))!.lastIndex === 0, "it is stored");
  await server.engine.transitionTask(id, "cancelled");
  const response = await answer; // The body is still open.
  assert.equal(response.status, 409);
  const { error } = await response.json();
  assert.equal(error.code, "TASK_TERMINAL");
  assert.deepEqual([error.details.status, error.details.published], ["cancelled", 1]);
  await close();
});

Deno.test("lines that are sent again after the end are acknowledged as stored", async () => {
  await using server = await startAnyServer();
  const { id } = await server.engine.createTask();
  const lines = line(1, { producerId: "p", producerSeq: 0 }) +
    line(2, { producerId: "p", producerSeq: 1 });
  await server.call("POST", `/tasks/${id}/events`, lines, NDJSON);
  await server.engine.transitionTask(id, "completed");
  const again = await server.call("POST", `/tasks/${id}/events`, lines, NDJSON);
  assert.deepEqual([again.status, again.body], [201, { published: 2, lastIndex: 1 }]);
});

Deno.test("openPublisher() aborts its signal when the task ends elsewhere, also while idle", async () => {
  await using server = await startAnyServer();
  const { id } = await server.engine.createTask();
  const publisher = new TaskcastServerClient({ baseUrl: server.url }).openPublisher(id);
  await publisher.publish({ type: "n", data: 1 });
  await publisher.flush();
  const aborted = new Promise((resolve) => publisher.signal.addEventListener("abort", resolve));
  await server.engine.transitionTask(id, "cancelled");
  await aborted;
  assert.equal(publisher.signal.reason.code, "TASK_TERMINAL");
  await assert.rejects(publisher.publish({ type: "n", data: 2 }), { code: "TASK_TERMINAL" });
  assert.deepEqual(await publisher.close(), { published: 1, lastIndex: 0 });
});

Deno.test("openPublisher() neither loses nor doubles events over connections that break", async () => {
  await using server = await startAnyServer();
  const { id } = await server.engine.createTask();
  let broken = 0;
  const client = new TaskcastServerClient({
    baseUrl: server.url,
    retry: { minDelayMs: 1, maxDelayMs: 5 },
    // Every other request breaks after some bytes, with some lines stored or none.
    fetch: async (input, init) => {
      if (broken >= 8 || Math.random() < 0.3) return await fetch(input, init);
      broken++;
      let bytes = 0;
      const limit = Math.random() * 2_000;
      const body = (init!.body as ReadableStream<Uint8Array>).pipeThrough(
        new TransformStream({
          transform(chunk, controller) {
            bytes += chunk.length;
            if (bytes > limit) controller.error(new TypeError("the network is gone"));
            else controller.enqueue(chunk);
          },
        }),
      );
      return await fetch(input, { ...init, body });
    },
  });
  const publisher = client.openPublisher(id, { rotateBytes: 1_000 });
  for (let i = 0; i < 500; i++) {
    await publisher.publish({ type: "n", data: i });
    if (i % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
  }
  await publisher.close();
  assert(broken > 0);
  const { events } = await server.engine.getEvents(id, { limit: 1_000 });
  assert.deepEqual(events.map((event) => event.data), Array.from({ length: 500 }, (_, i) => i));
});
