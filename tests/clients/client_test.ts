import assert from "node:assert/strict";
import type { TaskcastClientOptions } from "@taskcast/client";
import { TaskcastClient } from "@taskcast/client";
import { TaskcastHttpError } from "@taskcast/client/http";
import { seededRandom } from "../../core/conformance/seeded_random.ts";
import { cuttingProxy } from "../../testing/network/cutting_proxy.ts";
import {
  doneFrame,
  eventFrame,
  scriptedServer,
  sse,
} from "../../testing/servers/scripted_server.ts";
import { until } from "../../testing/sse/sse.ts";
import { startAnyServer } from "../../testing/servers/any_server.ts";

/** Delays between attempts that are short enough for tests, and always the longest allowed. */
const quick = { minDelayMs: 1, maxDelayMs: 4, random: () => 0.999 };

function clientOf(
  { url }: { url: string },
  options: Partial<TaskcastClientOptions> = {},
): TaskcastClient {
  return new TaskcastClient({ baseUrl: url, connection: quick, ...options });
}

/** Returns an answer that begins a stream and never ends it. */
function endless(text = ""): () => Response {
  return () => {
    let timer: number | undefined;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new TextEncoder().encode(`: hello\n\n${text}`)),
      cancel: () => clearTimeout(timer),
    });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  };
}

Deno.test("over connections that break at any byte, the text is right and no event is lost or doubled", async () => {
  await using server = await startAnyServer();
  const random = seededRandom(11);
  // The budget grows; otherwise a text longer than every connection could never arrive.
  let budget = 600;
  await using proxy = cuttingProxy(server.url, () => (budget += 300) * random());
  const { id } = await server.engine.createTask();
  const client = clientOf(proxy);
  const plain: number[] = [];
  let text = "";
  let reason = "";
  const following = client.subscribe(id, {
    onEvent({ type, data }, view) {
      if (type === "note") plain.push(data as number);
      text = view.text("answer");
    },
    onDone: (why) => reason = why,
    onError: (error, { fatal }) => assert(!fatal, String(error)),
  });
  let expected = "";
  for (let i = 0; i < 400; i++) {
    const delta = `${i} привет 🎉;`;
    expected += delta;
    await server.engine.publishEvents(id, [
      { type: "note", data: i },
      { type: "llm.delta", data: { delta }, seriesId: "answer", seriesMode: "accumulate" },
    ]);
    if (i % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await server.engine.transitionTask(id, "completed");
  await following;
  assert(proxy.cuts > 5, `${proxy.cuts} cuts`);
  assert.equal(reason, "completed");
  assert.equal(text, expected);
  assert.deepEqual(plain, Array.from({ length: 400 }, (_, i) => i));
});

Deno.test("a lost connection continues from the newest cursor, which heartbeats move, too", async () => {
  await using server = scriptedServer(
    sse(
      "retry: 700\n\n",
      eventFrame("c1", 1),
      ": heartbeat\nid: c2\n\n",
      "event: taskcast.event\nid: c3\nda",
    ),
    sse(eventFrame("c4", 2), doneFrame("c5")),
  );
  const seen: unknown[] = [];
  const delays: number[] = [];
  await clientOf(server, { connection: { random: () => 0.999 } }).subscribe("t", {
    onEvent: ({ data }) => seen.push(data),
    onError: (_, { retryInMs }) => delays.push(retryInMs!),
  });
  assert.deepEqual(seen, [1, 2]);
  assert.deepEqual(server.requests.map(({ headers }) => headers.get("last-event-id")), [
    null,
    "c2",
  ]);
  assert.deepEqual(delays.map(Math.round), [700], "retry: makes the first wait longer");
});

Deno.test("an incomplete frame does not move the cursor, wherever its id is", async () => {
  const data = 'data: {"filteredIndex":0,"rawIndex":0,"type":"a","level":"info","data":1}\n';
  // Servers before 0.2 send the id before the data.
  for (const frame of [`${data}id: c2\n`, `id: c2\n${data}`]) {
    const whole = `event: taskcast.event\n${frame}\n`;
    for (let cut = 0; cut < whole.length; cut++) {
      await using server = scriptedServer(
        sse(": heartbeat\nid: c1\n\n", whole.slice(0, cut)),
        sse(whole, doneFrame("c3")),
      );
      const seen: unknown[] = [];
      await clientOf(server).subscribe("t", { onEvent: ({ data }) => seen.push(data) });
      assert.deepEqual(seen, [1], `after ${cut} bytes of ${whole}`);
      assert.equal(server.requests[1]!.headers.get("last-event-id"), "c1");
    }
  }
});

Deno.test("delays double up to a maximum, and start over after a success", async () => {
  const down = () => new Response("", { status: 500 });
  await using server = scriptedServer(
    down,
    down,
    down,
    down,
    down,
    sse(eventFrame("c1", 1)),
    sse(doneFrame("c2")),
  );
  const delays: number[] = [];
  await clientOf(server).subscribe("t", { onError: (_, { retryInMs }) => delays.push(retryInMs!) });
  assert.deepEqual(delays.map(Math.round), [1, 2, 4, 4, 4, 1]);
});

Deno.test("Retry-After is honoured, in seconds and as a date", async () => {
  for (const value of ["120", new Date(Date.now() + 120_000).toUTCString()]) {
    await using server = scriptedServer(() =>
      new Response("", { status: 503, headers: { "retry-after": value } })
    );
    const controller = new AbortController();
    let delayMs = 0;
    await clientOf(server).subscribe("t", {
      signal: controller.signal,
      onError(_, { retryInMs }) {
        delayMs = retryInMs!;
        controller.abort();
      },
    });
    assert(delayMs > 110_000 && delayMs <= 120_000, `${value}: ${delayMs}`);
    assert.equal(server.requests.length, 1);
  }
});

Deno.test("a token function is called for each connection, and for a fresh token after a refusal", async () => {
  await using server = scriptedServer(
    () => new Response("", { status: 401 }),
    sse(eventFrame("c1", 1)),
    sse(doneFrame("c2")),
  );
  const asked: boolean[] = [];
  const client = clientOf(server, {
    token({ refresh }) {
      asked.push(refresh);
      return `token-${asked.length}`;
    },
  });
  await client.subscribe("t", { onError: () => {} });
  assert.deepEqual(asked, [false, true, false]);
  assert.deepEqual(
    server.requests.map(({ headers }) => headers.get("authorization")),
    ["Bearer token-1", "Bearer token-2", "Bearer token-3"],
  );
});

Deno.test("a final refusal ends the subscription, and onError is called", async () => {
  await using server = await startAnyServer();
  const client = clientOf(server);
  const isNotFound = (error: unknown) =>
    error instanceof TaskcastHttpError && error.code === "TASK_NOT_FOUND" && error.status === 404;
  await assert.rejects(client.subscribe("none"), isNotFound);
  const told: [unknown, boolean][] = [];
  await client.subscribe("none", { onError: (error, { fatal }) => told.push([error, fatal]) });
  assert.equal(told.length, 1);
  assert(isNotFound(told[0]![0]) && told[0]![1]);

  await using refusing = scriptedServer(() => new Response("no", { status: 401 }));
  await assert.rejects(
    clientOf(refusing, { token: () => "always refused" }).subscribe("t"),
    (error) => error instanceof TaskcastHttpError && error.code === "UNAUTHORIZED",
  );
  assert.equal(refusing.requests.length, 2);
});

Deno.test("an abort ends a subscription at once: while connecting, reading or waiting", async () => {
  const stops: [string, Parameters<typeof scriptedServer>[0]][] = [
    ["connecting", () => new Promise<Response>(() => {})],
    ["reading", endless()],
    ["waiting", () => new Response("", { status: 503, headers: { "retry-after": "1000" } })],
  ];
  for (const [what, answer] of stops) {
    await using server = scriptedServer(answer);
    const controller = new AbortController();
    const following = clientOf(server).subscribe("t", {
      signal: controller.signal,
      onError: (error, { fatal }) => assert(!fatal, `${what}: ${error}`),
    });
    await until(() => server.requests.length === 1, what);
    controller.abort();
    await following;
    assert.equal(server.requests.length, 1, what);
  }
});

Deno.test("an abort ends a subscription after much was read", async () => {
  // Garbage collection meanwhile makes Deno forget the signal of a request.
  await using server = await startAnyServer();
  for (let round = 0; round < 6; round++) {
    const { id } = await server.engine.createTask();
    const controller = new AbortController();
    let seen = 0;
    const following = clientOf(server).subscribe(id, {
      signal: controller.signal,
      onEvent: () => void seen++,
    });
    for (let i = 0; i < 40; i++) {
      const batch = Array.from({ length: 50 }, (_, data) => ({ type: "n", data }));
      await server.engine.publishEvents(id, batch);
    }
    await until(() => seen === 2000, "everything is read");
    (globalThis as { gc?: () => void }).gc?.();
    controller.abort();
    await following;
    await until(async () => (await server.reading()).streams === 0, "the connection is closed");
  }
});

Deno.test("leaving a loop and a throwing callback close the connection", async () => {
  await using server = await startAnyServer();
  const { id } = await server.engine.createTask();
  for (let i = 0; i < 3; i++) await server.engine.publishEvent(id, { type: "n", data: i });
  const client = clientOf(server);
  for await (const event of client.stream(id)) if (event.data === 1) break;
  await assert.rejects(
    client.subscribe(id, {
      onEvent() {
        throw new RangeError("a bug of the host");
      },
    }),
    RangeError,
  );
  await until(async () => (await server.reading()).streams === 0, "both connections are closed");
});

Deno.test("a silent connection is closed and opened again", async () => {
  await using server = scriptedServer(endless(), sse(doneFrame("c1")));
  const problems: string[] = [];
  await clientOf(server, { connection: { ...quick, idleTimeoutMs: 30 } }).subscribe("t", {
    onError: (error) => problems.push(String(error)),
  });
  assert.equal(problems.length, 1);
  assert.match(problems[0]!, /Nothing came for 30 ms/);
});

Deno.test("stream(): has back-pressure, and can be continued from its cursor", async () => {
  await using server = await startAnyServer();
  const { id } = await server.engine.createTask();
  for (let i = 0; i < 5; i++) await server.engine.publishEvent(id, { type: "n", data: i });
  await server.engine.transitionTask(id, "cancelled");
  const client = clientOf(server);
  const filter = { types: ["n"] };
  const first = client.stream(id, { filter });
  const seen: unknown[] = [];
  for await (const { data } of first) if (seen.push(data) === 2) break;
  const second = client.stream(id, { filter, since: { id: first.cursor! } });
  for await (const { data } of second) seen.push(data);
  assert.deepEqual(seen, [0, 1, 2, 3, 4]);
  assert.equal(second.reason, "cancelled");
  // After the final cursor there is nothing more, except for the reason.
  const third = client.stream(id, { filter, since: { id: second.cursor! } });
  for await (const event of third) assert.fail(JSON.stringify(event));
  assert.equal(third.reason, "cancelled");
});

Deno.test("history() and getTask() read everything, page by page", async () => {
  await using server = await startAnyServer();
  const { id } = await server.engine.createTask();
  for (let i = 0; i < 25; i++) {
    await server.engine.publishEvent(id, { type: i % 2 ? "odd" : "even", data: i });
  }
  const client = clientOf(server);
  const odd = await Array.fromAsync(
    client.history(id, { filter: { types: ["odd"] }, pageSize: 5 }),
  );
  assert.deepEqual(odd.map(({ data }) => data), Array.from({ length: 12 }, (_, i) => 2 * i + 1));
  assert.equal((await client.getTask(id)).lastIndex, 24);
});

Deno.test("an invalid answer is reported, and does not make a client hang", async () => {
  assert.throws(() => new TaskcastClient({ baseUrl: "nonsense" }), TypeError);
  await using server = scriptedServer(() =>
    new Response("<html>a proxy's page</html>", { headers: { "content-type": "text/html" } })
  );
  await assert.rejects(clientOf(server).subscribe("t"), /text\/html/);
});

Deno.test("a client refuses an address that is not an HTTP URL", () => {
  for (const baseUrl of ["localhost:3721", "/taskcast", "ftp://localhost", undefined]) {
    assert.throws(() => new TaskcastClient({ baseUrl: baseUrl as string }), {
      name: "TypeError",
      message: '"baseUrl" must begin with http:// or https://',
    });
  }
});

Deno.test("cancel() asks a task to stop, and repeating it is safe", async () => {
  await using server = await startAnyServer();
  const client = clientOf(server);
  const { id } = await server.engine.createTask();
  await server.engine.transitionTask(id, "running");
  const asked = await client.cancel(id, { reason: "enough", graceMs: 60_000 });
  assert.deepEqual([asked.status, asked.cancel!.reason], ["running", "enough"]);
  assert.deepEqual((await client.cancel(id)).cancel, asked.cancel);
  await server.engine.transitionTask(id, "completed");
  await assert.rejects(client.cancel(id), { status: 409, code: "TASK_TERMINAL" });
});
