import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
import { createTaskcastApp } from "@taskcast/server";
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { until } from "../../testing/sse/sse.ts";
import { connectionLimits } from "./connections/limits.ts";
import { listenOnNode } from "./node_server.ts";

// What a client sees on its socket, byte by byte.

/** A server with a task "t", and raw connections to it. */
async function setUp() {
  const engine = new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
  });
  await engine.createTask({ id: "t" });
  const app = createTaskcastApp({ engine, cors: { origin: "*" } });
  const listening = await listenOnNode(
    (request) => app.fetch(request),
    { host: "127.0.0.1", port: 0 },
    { limits: connectionLimits({}), onRefused: () => {} },
  );
  const sockets: Socket[] = [];
  /** Sends requests and collects what comes back. */
  const open = (requests: string) => {
    const socket = connect(listening.port, "127.0.0.1");
    sockets.push(socket);
    const answer = { socket, text: "" };
    socket.setEncoding("utf8").on("data", (text: string) => answer.text += text);
    socket.write(requests.replaceAll("\n", "\r\n"));
    return answer;
  };
  return {
    engine,
    open,
    async [Symbol.asyncDispose]() {
      await engine.close();
      for (const socket of sockets) socket.destroy();
      await listening.shutdown();
    },
  };
}

const STREAM = "GET /tasks/t/events HTTP/1.1\nhost: x\norigin: http://page\n\n";

/** The body of an answer in chunks, checked against their lengths, and what comes after it. */
function unframed(text: string): { chunks: string[]; rest: string } {
  let rest = text.slice(text.indexOf("\r\n\r\n") + 4);
  const chunks: string[] = [];
  for (;;) {
    const [, hex] = /^([0-9a-f]+)\r\n/.exec(rest) ?? assert.fail(`no chunk: ${rest.slice(0, 80)}`);
    const start = hex!.length + 2;
    const length = parseInt(hex!, 16);
    assert.equal(rest.slice(start + length, start + length + 2), "\r\n");
    const chunk = rest.slice(start, start + length);
    rest = rest.slice(start + length + 2);
    if (length === 0) return { chunks, rest };
    chunks.push(chunk);
  }
}

const eventsIn = (text: string) =>
  [...text.matchAll(/"data":(\d+)/g)].map(([, data]) => Number(data));

Deno.test("a stream is sent in chunks of HTTP/1.1 with all headers, and the connection stays usable", async () => {
  await using server = await setUp();
  const { engine, open } = server;
  const first = open(STREAM);
  const second = open(STREAM);
  await until(
    () => first.text.includes("taskcast.open") && second.text.includes("taskcast.open"),
    "both streams are open",
  );
  for (let data = 0; data < 50; data++) {
    await engine.publishEvent("t", { type: "n", data });
    if (data % 10 === 0) {
      await until(() => second.text.includes(`"data":${data}}`), `event ${data}`);
    }
  }
  // Large ones take another way.
  await engine.publishEvent("t", { type: "n", data: 50, level: "info" });
  await engine.publishEvent("t", { type: "large", data: "x".repeat(100_000) });
  await engine.publishEvent("t", { type: "n", data: 51 });
  await engine.transitionTask("t", "cancelled");
  for (const { socket, text: before } of [first, second]) {
    assert.match(before, /^HTTP\/1.1 200 /);
    socket.write("GET /health HTTP/1.1\r\nhost: x\r\n\r\n");
  }
  for (const answer of [first, second]) {
    await until(() => answer.text.endsWith('"}'), "the answer of /health");
    assert.match(answer.text, /\r\ncontent-type: text\/event-stream; charset=utf-8\r\n/i);
    assert.match(answer.text, /\r\naccess-control-allow-origin: \*\r\n/i);
    assert.match(answer.text, /\r\nx-request-id: /i);
    const { chunks, rest } = unframed(answer.text);
    const body = chunks.join("");
    assert.deepEqual(eventsIn(body), [...Array(52).keys()]);
    assert(body.includes("x".repeat(100_000)));
    assert.match(body, /event: taskcast.done\n.*\n.*\n\nretry: 30000\n\n$/);
    assert.match(rest, /^HTTP\/1.1 200 OK\r\n/);
  }
});

Deno.test("two streams that are asked for on one connection come one after the other", async () => {
  await using server = await setUp();
  const { engine, open } = server;
  const answer = open(STREAM + STREAM);
  await until(() => answer.text.includes("taskcast.open"), "the first stream is open");
  for (let data = 0; data < 3; data++) await engine.publishEvent("t", { type: "n", data });
  await engine.transitionTask("t", "cancelled");
  await until(() => answer.text.split("0\r\n\r\n").length === 3, "both have ended");
  const { chunks, rest } = unframed(answer.text);
  assert.deepEqual(eventsIn(chunks.join("")), [0, 1, 2]);
  assert.deepEqual(eventsIn(unframed(rest).chunks.join("")), [0, 1, 2]);
  assert.equal(unframed(rest).rest, "");
});

Deno.test("streams that wait for another of their connection are forgotten when it closes", async () => {
  await using server = await setUp();
  const { engine, open } = server;
  const answer = open(STREAM + STREAM + STREAM);
  await until(() => engine.stats.streams === 3, "3 streams");
  answer.socket.destroy();
  await until(() => engine.stats.streams === 0, "0 streams");
  assert.equal(engine.stats.tails, 0);
});

Deno.test("a client of HTTP/1.0 gets the stream without chunks, to the end of the connection", async () => {
  await using server = await setUp();
  const { engine, open } = server;
  const answer = open("GET /tasks/t/events HTTP/1.0\nhost: x\n\n");
  const closed = once(answer.socket, "close");
  await until(() => answer.text.includes("taskcast.open"), "the stream is open");
  await engine.publishEvent("t", { type: "n", data: 1 });
  await engine.transitionTask("t", "cancelled");
  await closed;
  assert.doesNotMatch(answer.text, /transfer-encoding/i);
  const body = answer.text.slice(answer.text.indexOf("\r\n\r\n") + 4);
  assert.match(body, /^retry: 1000\nevent: taskcast.open\n/);
  assert.deepEqual(eventsIn(body), [1]);
  assert.match(body, /event: taskcast.done\n.*\n.*\n\nretry: 30000\n\n$/);
});

Deno.test("a reader that pauses is sent no more than its socket takes, and gets the rest when it continues", async () => {
  await using server = await setUp();
  const { engine, open } = server;
  const answer = open(STREAM);
  await until(() => answer.text.includes("taskcast.open"), "the stream is open");
  answer.socket.pause();
  const text = "x".repeat(10_000);
  for (let data = 0; data < 2_000; data++) {
    await engine.publishEvent("t", { type: "n", data: { text, n: data } });
  }
  await engine.transitionTask("t", "cancelled");
  const { viewBytes, tailBytes } = engine.stats;
  assert(
    viewBytes + tailBytes < 12_000_000,
    `${viewBytes} and ${tailBytes} bytes of 20 MB are kept`,
  );
  answer.socket.resume();
  await until(() => answer.text.endsWith("\r\n0\r\n\r\n"), "the end");
  const body = unframed(answer.text).chunks.join("");
  const numbers = [...body.matchAll(/"n":(\d+)/g)].map(([, n]) => Number(n));
  assert.deepEqual(numbers, [...Array(2_000).keys()]);
});

Deno.test("a reader that leaves is forgotten, also in the middle of a chunk", async () => {
  await using server = await setUp();
  const { engine, open } = server;
  const waiting = open(STREAM);
  const stopped = open(STREAM);
  await until(() => engine.stats.streams === 2, "2 streams");
  stopped.socket.pause();
  for (let i = 0; i < 500; i++) {
    await engine.publishEvent("t", { type: "n", data: "x".repeat(10_000) });
  }
  waiting.socket.destroy();
  await until(() => engine.stats.streams === 1, "1 streams");
  stopped.socket.destroy();
  await until(() => engine.stats.streams === 0, "0 streams");
  assert.equal(engine.stats.tails, 0);
});
