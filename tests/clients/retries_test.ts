import assert from "node:assert/strict";
import { TaskcastClient } from "@taskcast/client";
import type { BackoffOptions } from "@taskcast/client";
import { sleep } from "@taskcast/client/http";
import { startTimer } from "@taskcast/core/protocol";
import { TaskcastServerClient } from "@taskcast/server-sdk";
import { install } from "@sinonjs/fake-timers";
import { cuttingProxy } from "../../testing/network/cutting_proxy.ts";
import { startAnyServer } from "../../testing/servers/any_server.ts";
import { eventFrame, scriptedServer, sse } from "../../testing/servers/scripted_server.ts";
import { until } from "../../testing/sse/sse.ts";

// Every retry loop of a client makes progress, waits longer each time, or ends.

const quick = { minDelayMs: 1, maxDelayMs: 4, random: () => 0.999 };

Deno.test("openPublisher() stores everything even if every connection breaks before the backlog is sent", async () => {
  await using server = await startAnyServer();
  for (const [bytes, count] of [[40_000, 500], [4_000, 200], [1_000, 30]] as const) {
    const { id } = await server.engine.createTask();
    await using proxy = cuttingProxy(server.url, () => bytes);
    const client = new TaskcastServerClient({ baseUrl: proxy.url, retry: quick });
    const publisher = client.openPublisher(id);
    const text = "x".repeat(200);
    for (let i = 0; i < count; i++) await publisher.publish({ type: "n", data: { i, text } });
    const receipt = await publisher.close();
    assert.equal(receipt.published, count);
    assert(proxy.cuts > 0, "the proxy broke connections");
    const { events } = await server.engine.getEvents(id, { limit: 1_000 });
    assert.deepEqual(
      events.map(({ data }) => (data as { i: number }).i),
      Array.from({ length: count }, (_, i) => i),
    );
  }
});

Deno.test("openPublisher() stores everything over very short connections", async () => {
  await using server = await startAnyServer();
  const { id } = await server.engine.createTask();
  let confirmed = 0;
  const client = new TaskcastServerClient({
    baseUrl: server.url,
    retry: quick,
    fetch: async (input, init) => {
      const signal = AbortSignal.any([init!.signal!, AbortSignal.timeout(150)]);
      const response = await fetch(input, { ...init, signal }).catch(() => {
        throw new TypeError("the connection broke");
      });
      confirmed += (await response.clone().json()).published;
      return response;
    },
  });
  const publisher = client.openPublisher(id);
  for (let i = 0; i < 3; i++) await publisher.publish({ type: "n", data: i });
  await until(() => confirmed === 3, "events are confirmed without a flush");
  await publisher.close();
  const { events } = await server.engine.getEvents(id);
  assert.deepEqual(events.map(({ data }) => data), [0, 1, 2]);
});

Deno.test("openPublisher() ends a request when a full buffer waits for its receipt", async () => {
  await using server = await startAnyServer();
  const { id } = await server.engine.createTask();
  const client = new TaskcastServerClient({ baseUrl: server.url, retry: quick });
  // Time alone would not end a request before the test does.
  const publisher = client.openPublisher(id, { maxBufferedBytes: 1, rotateMs: 3_600_000 });
  let taken = 0;
  const publishing = (async () => {
    for (; taken < 5; taken++) await publisher.publish({ type: "n", data: taken });
  })();
  await until(() => taken === 5, "all events are buffered");
  await publishing;
  await publisher.close();
  const { events } = await server.engine.getEvents(id);
  assert.deepEqual(events.map(({ data }) => data), [0, 1, 2, 3, 4]);
});

Deno.test("openPublisher() fails after delayed attempts if the server confirms nothing", async () => {
  await using server = scriptedServer(async (request) => {
    await request.body?.pipeTo(new WritableStream()).catch(() => {});
    return Response.json({ published: 0, lastIndex: -1 }, { status: 201 });
  });
  const retry = { ...quick, attempts: 3 };
  const client = new TaskcastServerClient({ baseUrl: server.url, retry });
  const publisher = client.openPublisher("t");
  await publisher.publish({ type: "n", data: 1 });
  await assert.rejects(publisher.close(), /confirmed nothing/);
  assert.equal(server.requests.length, 6);
});

Deno.test("openPublisher() closes at once when everything is stored, or nothing was published", async () => {
  await using server = await startAnyServer();
  let waits = 0;
  const retry = { random: () => ++waits };
  const client = new TaskcastServerClient({ baseUrl: server.url, retry });
  for (const count of [0, 1]) {
    const { id } = await server.engine.createTask();
    const publisher = client.openPublisher(id);
    for (let i = 0; i < count; i++) await publisher.publish({ type: "n", data: i });
    await publisher.flush();
    assert.equal((await publisher.close()).published, count);
  }
  assert.equal(waits, 0);
});

Deno.test("openPublisher() refuses a receipt for more than it sent, or without a number", async () => {
  for (const published of [2, 1_000_000, -1, 0.5, "1", null]) {
    for (const status of [201, 503]) {
      await using server = scriptedServer(async (request) => {
        await request.body?.pipeTo(new WritableStream()).catch(() => {});
        const details = { published, lastIndex: 7 };
        const error = { code: "STORE_UNAVAILABLE", message: "away", details };
        return Response.json(status === 201 ? details : { error }, { status });
      });
      const publisher = new TaskcastServerClient({ baseUrl: server.url, retry: quick })
        .openPublisher("t");
      await publisher.publish({ type: "n", data: 1 });
      await assert.rejects(publisher.close(), /confirmed .* of 1 events/);
      assert.equal(server.requests.length, 1);
    }
  }
});

Deno.test("openPublisher() gets a fresh token when its request outlived the old one", async () => {
  await using server = await startAnyServer();
  const { id } = await server.engine.createTask();
  const asked: boolean[] = [];
  let requests = 0;
  const client = new TaskcastServerClient({
    baseUrl: server.url,
    retry: quick,
    token: ({ refresh }) => {
      asked.push(refresh);
      return refresh ? "fresh" : "old";
    },
    fetch: async (input, init) => {
      const response = await fetch(input, init);
      if (requests++ > 0) return response;
      // The first request is ended because of its token, after the earlier lines were stored.
      const { published, lastIndex } = await response.json();
      const details = { published, lastIndex };
      const error = { code: "UNAUTHORIZED", message: "The token has expired", details };
      return Response.json({ error }, { status: 401 });
    },
  });
  const publisher = client.openPublisher(id);
  await publisher.publish({ type: "n", data: 0 });
  await publisher.flush();
  await publisher.publish({ type: "n", data: 1 });
  await publisher.close();
  assert.deepEqual(asked.slice(0, 2), [false, true]);
  const { events } = await server.engine.getEvents(id);
  assert.deepEqual(events.map(({ data }) => data), [0, 1]);
});

Deno.test("openPublisher() ends when a fresh token is refused, too", async () => {
  await using server = scriptedServer(() =>
    Response.json({ error: { code: "UNAUTHORIZED", message: "no" } }, { status: 401 })
  );
  const client = new TaskcastServerClient({
    baseUrl: server.url,
    retry: quick,
    token: () => "wrong",
  });
  const publisher = client.openPublisher("t");
  await publisher.publish({ type: "n", data: 1 });
  await assert.rejects(publisher.close(), { code: "UNAUTHORIZED" });
  assert.equal(server.requests.length, 2);
});

/** Returns the first delays of a client whose server gives the same answer each time. */
async function waits(
  answer: () => Response,
  count: number,
  connection: BackoffOptions = { minDelayMs: 2, maxDelayMs: 64 },
): Promise<number[]> {
  await using server = scriptedServer(answer);
  const client = new TaskcastClient({
    baseUrl: server.url,
    connection: { random: () => 1, ...connection },
  });
  const controller = new AbortController();
  const delays: number[] = [];
  await client.subscribe("t", {
    signal: controller.signal,
    onError: (_, { retryInMs }) => {
      delays.push(Math.round(retryInMs!));
      if (delays.length === count) controller.abort();
    },
  });
  return delays;
}

Deno.test("a stream that opens and sends nothing is reopened with growing delays", async () => {
  const open =
    'retry: 2\nevent: taskcast.open\ndata: {"taskId":"t","status":"running","resume":"start","head":0}\n\n';
  assert.deepEqual(await waits(sse(open), 7), [2, 4, 8, 16, 32, 64, 64]);
  const standing = sse("retry: 2\n\n", ": heartbeat\nid: c1\n\n");
  assert.deepEqual(await waits(standing, 4), [2, 4, 8, 16], "the same cursor is no progress");
  const moving = sse("retry: 2\n\n", eventFrame("c1", 1), ": heartbeat\nid: c2\n\n");
  assert.deepEqual((await waits(moving, 3))[0], 2);
});

Deno.test("delays from the server are bounded between half a second and minutes", async () => {
  // Without options, as on a page.
  const first = async (answer: () => Response) => (await waits(answer, 1, {}))[0];
  const refusal = (after: string) => () =>
    new Response("", { status: 503, headers: { "retry-after": after } });
  for (const value of ["0", "0.2", "-5", "1e-9", "soon", "Infinity", new Date(0).toUTCString()]) {
    assert.equal(await first(refusal(value)), 500, `Retry-After: ${value}`);
  }
  assert.equal(await first(refusal("0.7")), 700);
  const farAhead = new Date(8.64e15).toUTCString();
  for (const value of ["99999999", "9".repeat(400), farAhead]) {
    assert.equal(await first(refusal(value)), 300_000, `Retry-After: ${value}`);
  }
  const again = (retry: string) => sse(`retry: ${retry}\n\n`, eventFrame("c1", 1));
  for (const value of ["0", "-1", "0.5", "1e9", ""]) {
    assert.equal(await first(again(value)), 500, `retry: ${value}`);
  }
  assert.equal(await first(again("1200")), 1_200);
  for (const value of ["2147483648", "9".repeat(400)]) {
    assert.equal(await first(again(value)), 30_000, `retry: ${value}`);
  }
});

Deno.test("a server whose connections always end after some progress is called with a pause", async () => {
  let cursor = 0;
  await using server = scriptedServer(() =>
    sse("retry: 0\n\n", eventFrame(`c${cursor++}`, cursor))()
  );
  const stop = new AbortController();
  const startMs = performance.now();
  const client = new TaskcastClient({ baseUrl: server.url });
  await client.subscribe("t", {
    signal: stop.signal,
    onError: () => {},
    onEvent: () => void (server.requests.length === 3 && stop.abort()),
  });
  const spentMs = performance.now() - startMs;
  assert(spentMs >= 500, `two pauses of a quarter of a second at least: ${spentMs}`);
});

Deno.test("delays: Infinity means never, delays beyond a timer's maximum cause no storm, and none is negative", async () => {
  let fired = 0;
  const forget = [Infinity, NaN, 2 ** 31, 1e300].map((ms) => startTimer(ms, () => fired++));
  let atOnce = 0;
  for (const ms of [0, -1, -Infinity]) startTimer(ms, () => atOnce++);
  await until(() => atOnce === 3, "a delay in the past ends at once");
  assert.equal(fired, 0);
  for (const each of forget) each();

  const controller = new AbortController();
  const forever = sleep(Infinity, controller.signal);
  controller.abort();
  await forever;
});

Deno.test("delays longer than a timer's maximum have their full length", () => {
  const clock = install({ now: 0 });
  try {
    let firedMs: number | undefined;
    const delayMs = 2.5 * 2 ** 31;
    startTimer(delayMs, () => firedMs = Date.now());
    clock.tick(delayMs - 1);
    assert.equal(firedMs, undefined);
    clock.tick(1);
    assert.equal(firedMs, delayMs);
  } finally {
    clock.uninstall();
  }
});

Deno.test("options: any positive time works, Infinity included; anything else is refused", async () => {
  await using server = await startAnyServer();
  const { id } = await server.engine.createTask();
  for (const ms of [Infinity, 2 ** 31, 1e300, 1e7 + 0.5]) {
    const producer = new TaskcastServerClient({ baseUrl: server.url, timeoutMs: ms });
    const publisher = producer.openPublisher(id, { rotateMs: ms });
    await publisher.publish({ type: "n", data: ms === Infinity ? null : ms });
    await publisher.close();
    await producer.getTask(id);
    const connection = { idleTimeoutMs: ms, maxDelayMs: ms, maxRetryAfterMs: ms };
    const reader = new TaskcastClient({ baseUrl: server.url, connection });
    for await (const _ of reader.stream(id)) break;
  }
  const baseUrl = server.url;
  for (const timeoutMs of [0, -1, NaN]) {
    assert.throws(() => new TaskcastServerClient({ baseUrl, timeoutMs }), RangeError);
    const producer = new TaskcastServerClient({ baseUrl });
    assert.throws(() => producer.openPublisher(id, { rotateMs: timeoutMs }), RangeError);
  }
  assert.throws(
    () => new TaskcastServerClient({ baseUrl }).openPublisher(id, { lingerMs: -1 }),
    RangeError,
  );
});

Deno.test("a page that names itself as the next one is an error", async () => {
  await using server = scriptedServer((request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/tasks") return Response.json({ tasks: [], nextCursor: "same" });
    return Response.json([], { headers: { link: `<${request.url}>; rel="next"` } });
  });
  const producer = new TaskcastServerClient({ baseUrl: server.url, retry: quick });
  const reader = new TaskcastClient({ baseUrl: server.url });
  const wrong = /names the page itself/;
  await assert.rejects(Array.fromAsync(producer.tasks()), wrong);
  await assert.rejects(Array.fromAsync(producer.history("t")), wrong);
  await assert.rejects(Array.fromAsync(reader.history("t")), wrong);
  assert.equal(server.requests.length, 4);
});

Deno.test("options whose delays would not grow or not end are refused", () => {
  const baseUrl = "http://localhost:1";
  for (const wrong of [{ minDelayMs: 0 }, { maxDelayMs: -1 }, { maxRetryAfterMs: NaN }]) {
    assert.throws(() => new TaskcastClient({ baseUrl, connection: wrong }), RangeError);
    assert.throws(() => new TaskcastServerClient({ baseUrl, retry: wrong }), RangeError);
  }
  for (const attempts of [0, NaN, 1.5]) {
    assert.throws(() => new TaskcastServerClient({ baseUrl, retry: { attempts } }), RangeError);
  }
});
