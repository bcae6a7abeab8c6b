import { install } from "@sinonjs/fake-timers";
import type { TaskcastChatOptions } from "@taskcast/ai";
import { TaskcastChat } from "@taskcast/ai";
import { TaskcastClient } from "@taskcast/client";
import type { Scope } from "@taskcast/core/protocol";
import { TaskcastServerClient } from "@taskcast/server-sdk";
import type { UIMessage } from "ai";
import { streamText, TextStreamChatTransport } from "ai";
import assert from "node:assert/strict";
import { chatOf, messageOf, post, resume, startChatApp } from "../../testing/pages/chat_app.ts";
import { cuttingProxy } from "../../testing/network/cutting_proxy.ts";
import { finish, Gate, scriptedModel, textParts } from "../../testing/pages/scripted_model.ts";
import { until } from "../../testing/sse/sse.ts";
import { startServer } from "../../testing/servers/test_server.ts";

const TEXT = "A task is an append-only log. 😀 任务";

Deno.test("ai: the text protocol works with a text stream and with message chunks", async () => {
  await using server = startServer();
  for (const asText of [true, false]) {
    const gate = new Gate();
    const model = scriptedModel(async function* (signal) {
      const [start, ...parts] = textParts(TEXT, 1); // Splits characters in halves.
      yield start!;
      yield* parts.slice(0, 10);
      await gate.pass(signal);
      yield* parts.slice(10);
      yield finish();
    });
    const chat = chatOf(server.engine, { protocol: "text" });
    await using app = startChatApp({ chat, model, asText });
    const transport = new TextStreamChatTransport<UIMessage>({ api: app.api });
    const whole = post({ transport }, `c${asText}`).then(messageOf);
    await gate.reached;
    const resumed = await resume({ transport }, `c${asText}`);
    gate.open();
    const expected = await whole;
    assert.equal((expected.parts.at(-1) as { text: string }).text, TEXT);
    const { id: _own, ...message } = await messageOf(resumed); // The protocol has no id here.
    const { id: _other, ...wanted } = expected;
    assert.deepEqual(message, wanted);
    assert.equal(await resume({ transport }, `c${asText}`), null);
  }
});

Deno.test("ai: a text stream becomes message chunks", async () => {
  await using server = startServer();
  const model = scriptedModel(async function* () {
    yield* textParts(TEXT);
    yield finish();
  });
  await using app = startChatApp({ chat: chatOf(server.engine), model, asText: true });
  assert.deepEqual((await messageOf(await post(app))).parts, [
    { type: "step-start" },
    { type: "text", text: TEXT, state: "done", providerMetadata: undefined },
  ]);
});

Deno.test("ai: an error breaks a text stream, which has no other way to report it", async () => {
  await using server = startServer();
  const chat = chatOf(server.engine, { protocol: "text" });
  const response = await chat.respond(
    "c1",
    async function* () {
      yield await Promise.resolve("Half");
      throw new Error("sk-secret");
    }(),
  );
  assert.match(response.headers.get("content-type")!, /^text\/plain/);
  await assert.rejects(response.text(), /^Error: An error occurred\.$/);
});

Deno.test("ai: respond() accepts the result of streamText unchanged", async () => {
  await using server = startServer();
  const model = scriptedModel(async function* () {
    yield* textParts(TEXT);
    yield finish();
  });
  const chat = chatOf(server.engine, { protocol: "text" });
  const response = await chat.respond("c1", streamText({ model, prompt: "Hi" }), {
    task: { tags: ["user:7"], metadata: { model: "mock" } },
  });
  assert.equal(await response.text(), TEXT);
  const { tasks } = await server.engine.listTasks({ tag: "user:7" });
  assert.deepEqual(tasks[0]!.tags, ["chat:c1", "user:7"]);
  assert.deepEqual(tasks[0]!.metadata, { model: "mock" });
});

Deno.test("ai: the response has the headers that transports, proxies and browsers need", async () => {
  await using server = startServer();
  const response = await chatOf(server.engine).respond("c1", async function* () {}());
  const headers = Object.fromEntries(response.headers);
  assert.equal(headers["content-type"], "text/event-stream");
  assert.equal(headers["x-vercel-ai-ui-message-stream"], "v1");
  assert.equal(headers["x-accel-buffering"], "no");
  assert.match(headers["cache-control"]!, /no-transform/);
  const { tasks: [task] } = await server.engine.listTasks();
  assert.equal(headers["taskcast-answer"], task!.id);
  assert.equal(headers["access-control-expose-headers"], "taskcast-answer");
  assert.equal(await response.text(), "data: [DONE]\n\n");
});

Deno.test("ai: heartbeats are sent while the model is silent", async () => {
  await using server = startServer();
  const gate = new Gate();
  const clock = install({ toFake: ["setInterval", "clearInterval"] });
  try {
    const chat = chatOf(server.engine);
    const response = await chat.respond("c1", async function* () {
      await gate.pass(undefined);
      yield { type: "finish" };
    });
    const body = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    for (let i = 0; i < 2; i++) {
      const next = body.read();
      await clock.tickAsync(5_000);
      assert.equal((await next).value, ": heartbeat\n\n");
    }
    gate.open();
    assert.equal((await body.read()).value, 'data: {"type":"finish"}\n\n');
    assert.equal((await body.read()).value, "data: [DONE]\n\n");
    assert((await body.read()).done);
    assert.equal(clock.countTimers(), 0);
  } finally {
    clock.uninstall();
  }
});

Deno.test("ai: invalid chat ids are refused, and similar ids are separate chats", async () => {
  await using server = startServer();
  const chat = chatOf(server.engine);
  for (const id of ["", "x".repeat(201), undefined as unknown as string]) {
    const isRefused = { code: "INVALID_INPUT", details: { path: "chatId" } };
    await assert.rejects(chat.respond(id, async function* () {}()), isRefused);
    await assert.rejects(chat.resume(id), isRefused);
    await assert.rejects(chat.stop(id), isRefused);
  }
  const gate = new Gate();
  const waiting = async function* () {
    await gate.pass(undefined);
    yield { type: "finish" };
  };
  const ids = ["a/b", "a", "*", "😀 chat", "x".repeat(200)];
  const responses = await Promise.all(ids.map((id) => chat.respond(id, waiting)));
  for (const id of ["b", "a/", "X".repeat(200)]) {
    assert.equal((await chat.resume(id)).status, 204, id);
  }
  assert.equal(await chat.stop("a"), 1);
  gate.open();
  const texts = await Promise.all(responses.map((response) => response.text()));
  assert.deepEqual(texts.map((text) => /"type":"(\w+)"/.exec(text)![1]), [
    "finish",
    "abort",
    "finish",
    "finish",
    "finish",
  ]);
});

Deno.test("ai: a reader that disconnects releases its resources, and the answer continues", async () => {
  await using server = startServer();
  const { engine } = server;
  const chat = chatOf(engine);
  const gate = new Gate();
  const posted = await chat.respond("c1", async function* () {
    yield { type: "start" };
    await gate.pass(undefined);
    yield { type: "finish" };
  });
  const left = new AbortController();
  const [aborted, cancelled, unread] = await Promise.all([
    chat.resume("c1", { signal: left.signal }),
    chat.resume("c1", {}),
    chat.resume("c1", { signal: AbortSignal.abort() }),
  ]);
  const readers = [posted, aborted, cancelled].map(({ body }) => body!.getReader());
  for (const reader of readers) assert.equal((await reader.read()).done, false);
  assert.equal(engine.stats.streams, 3);
  left.abort();
  await readers[2]!.cancel();
  await assert.rejects(async () => {
    while (!(await readers[1]!.read()).done);
  });
  await assert.rejects(unread.text());
  await until(() => engine.stats.streams === 1, "only the first reader is left");
  gate.open();
  while (!(await readers[0]!.read()).done);
  await until(() => engine.stats.streams === 0, "there are no readers");
  const [task] = (await engine.listTasks({ tag: "chat:c1" })).tasks;
  assert.equal(task!.status, "completed");
});

Deno.test("ai: invalid options are refused", async () => {
  await using server = startServer();
  const { engine } = server;
  const wrong: [unknown, RegExp][] = [
    [{}, /needs an engine/],
    [{ engine: undefined }, /needs an engine/],
    [{ server: new TaskcastServerClient({ baseUrl: server.url }) }, /the client of a server/],
    [{ engine, protocol: "sse" }, /must be one of ui-message, text/],
  ];
  for (const [options, message] of wrong) {
    assert.throws(() => new TaskcastChat(options as TaskcastChatOptions), {
      name: "TypeError",
      message,
    });
  }
  const chat = new TaskcastChat({ engine, ttl: 0 });
  await assert.rejects(chat.respond("c1", async function* () {}()), {
    code: "INVALID_INPUT",
    details: { path: "ttl" },
  });
});

Deno.test("ai: a server requires the scopes in the guide, and no others", async () => {
  const scopes: Scope[] = ["task:create", "task:manage", "event:publish", "event:subscribe"];
  let granted = scopes;
  const authenticate = () => ({ taskIds: "*" as const, scope: granted });
  await using server = startServer({ app: { auth: { mode: "custom", authenticate } } });
  const chat = chatOf(server.url, { protocol: "text" });
  const gate = new Gate();
  const answer = async function* () {
    await gate.pass(undefined);
    yield "Hello";
  };
  const [told, stopped] = [await chat.respond("c1", answer), await chat.respond("c2", answer)];
  const resumed = await chat.resume("c1");
  assert.equal(await chat.stop("c2"), 1);
  await stopped.text();
  gate.open();
  assert.deepEqual(await Promise.all([told.text(), resumed.text()]), ["Hello", "Hello"]);
  for (const scope of scopes) {
    granted = scopes.filter((other) => other !== scope);
    const all = async () => {
      await (await chat.respond("c3", answer)).text();
    };
    await assert.rejects(all, `without ${scope}`);
  }
});

Deno.test("ai: the message is complete over connections to the server that break at any byte", async () => {
  await using server = startServer();
  let connections = 0;
  await using reading = cuttingProxy(server.url, () => 700 + 331 * (++connections % 9));
  // Unconfirmed lines are all sent again, so some connections must be long enough for all of them.
  await using writing = cuttingProxy(server.url, () => ++connections % 4 === 0 ? Infinity : 9_000);
  const retry = { minDelayMs: 1, maxDelayMs: 5 };
  const chat = new TaskcastChat({
    server: new TaskcastServerClient({ baseUrl: writing.url, retry: { ...retry, attempts: 50 } }),
    client: new TaskcastClient({ baseUrl: reading.url, connection: retry }),
  });
  const text = Array.from({ length: 300 }, (_, i) => `${i} `).join("");
  const model = scriptedModel(async function* () {
    for (const part of textParts(text)) {
      yield part;
      if (Math.random() < 0.1) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    yield finish();
  });
  await using app = startChatApp({ chat, model });
  const message = await messageOf(await post(app));
  assert.equal((message.parts.at(-1) as { text: string }).text, text);
  assert(reading.cuts > 3 && writing.cuts > 0, `${reading.cuts} and ${writing.cuts} cuts`);
});
