import type { TaskcastChat } from "@taskcast/ai";
import type { TaskcastChatTransportOptions } from "@taskcast/ai/transport";
import { TaskcastChatTransport } from "@taskcast/ai/transport";
import type { ChatTransport, UIMessage, UIMessageChunk } from "ai";
import { DefaultChatTransport } from "ai";
import assert from "node:assert/strict";
import {
  chatOf,
  messageOf,
  post,
  resume,
  startChatApp,
  userMessage,
} from "../../testing/pages/chat_app.ts";
import { cuttingProxy } from "../../testing/network/cutting_proxy.ts";
import { restorableStore } from "../../testing/databases/restorable_store.ts";
import { finish, Gate, scriptedModel, textParts } from "../../testing/pages/scripted_model.ts";
import { until } from "../../testing/sse/sse.ts";
import { startServer } from "../../testing/servers/test_server.ts";

const TEXT = "A task is an append-only log. 任务是只追加的日志 😀";

/** Delays that are short enough for tests. */
const retry = { minDelayMs: 1, maxDelayMs: 4 };

function transportOf(
  api: string,
  options: TaskcastChatTransportOptions<UIMessage> = {},
): TaskcastChatTransport<UIMessage> {
  // The type that `useChat` requires.
  const transport: ChatTransport<UIMessage> & TaskcastChatTransport<UIMessage> =
    new TaskcastChatTransport<UIMessage>({ api, retry, ...options });
  return transport;
}

/** Compiles only if our transport has all options of the AI SDK's. */
type TheirOptions = Omit<
  ConstructorParameters<typeof DefaultChatTransport<UIMessage>>[0] & object,
  "resumeStreamIsReplay"
>;
const _theirs: TaskcastChatTransportOptions<UIMessage> = {} as TheirOptions;

/** Returns a model whose answer pauses midway. */
function gatedModel(gate: Gate) {
  return scriptedModel(async function* (signal) {
    const parts = [...textParts(TEXT)];
    yield* parts.slice(0, 6);
    await gate.pass(signal);
    yield* parts.slice(6);
    yield finish();
  });
}

/** Reads until some of the text has arrived. */
async function readSome(stream: ReadableStream<UIMessageChunk>): Promise<UIMessageChunk[]> {
  const chunks: UIMessageChunk[] = [];
  const reader = stream.getReader();
  while (chunks.at(-1)?.type !== "text-delta") chunks.push((await reader.read()).value!);
  reader.releaseLock();
  return chunks;
}

function textOf(message: UIMessage): string {
  return message.parts.map((part) => part.type === "text" ? part.text : "").join("");
}

/** Waits until the chat's answer has ended. */
async function ends({ engine }: ReturnType<typeof startServer>, chatId = "c1"): Promise<void> {
  await until(async () => {
    const { tasks: [task] } = await engine.listTasks({ tag: `chat:${chatId}` });
    return task?.completedAt !== undefined;
  }, "the answer ends");
}

Deno.test("ai transport: one stream has the whole message over connections that break at any byte", async () => {
  await using server = startServer();
  const text = Array.from({ length: 300 }, (_, i) => `${i} `).join("");
  const model = scriptedModel(async function* () {
    for (const part of textParts(text)) {
      yield part;
      if (Math.random() < 0.2) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    yield finish();
  });
  await using app = startChatApp({ chat: chatOf(server.engine), model });
  let connections = 0;
  // Answers are repeated from their beginning, so connections must become longer and longer.
  await using proxy = cuttingProxy(app.api, () => 900 + 611 * ++connections);
  const transport = transportOf(proxy.url + new URL(app.api).pathname);
  const message = await messageOf(await post({ transport }));
  assert.equal(textOf(message), text);
  assert(proxy.cuts > 3, `${proxy.cuts} cuts`);
  assert.equal(app.posts, 1);
  const whole = (await server.engine.listTasks({ tag: "chat:c1" })).tasks[0]!;
  assert.deepEqual(
    JSON.parse(JSON.stringify(message)),
    JSON.parse(JSON.stringify(
      await messageOf(
        await new DefaultChatTransport<UIMessage>({
          api: app.api,
          prepareReconnectToStreamRequest: () => ({
            api: `${app.api}/c1/stream?answer=${whole.id}`,
          }),
        }).reconnectToStream({ chatId: "c1" }),
      ),
    )),
  );
});

Deno.test("ai transport: answers of an intermediary are not taken for the server's", async () => {
  await using server = startServer();
  const gate = new Gate();
  await using app = startChatApp({ chat: chatOf(server.engine), model: gatedModel(gate) });
  const page = (status: number) =>
    new Response("<h1>Sign in</h1>", { status, headers: { "content-type": "text/html" } });
  const between = [
    () => page(404),
    () => page(502),
    () => page(200),
    () => Promise.reject(new TypeError("Failed to fetch")),
    () => new Response(null, { status: 503, headers: { "retry-after": "0" } }),
  ];
  let first = true;
  const transport = transportOf(app.api, {
    retry: { ...retry, attempts: between.length + 1 },
    async fetch(input, init) {
      if (!first) return await between.shift()?.() ?? await fetch(input, init);
      first = false;
      const response = await fetch(input, init);
      // Like a proxy that closes the response regularly in the middle of an answer.
      let received = "";
      const cut = new TransformStream<Uint8Array, Uint8Array>({
        transform(bytes, controller) {
          controller.enqueue(bytes);
          received += new TextDecoder().decode(bytes);
          if (received.includes("text-delta")) controller.terminate();
        },
      });
      return new Response(response.body!.pipeThrough(cut), response);
    },
  });
  const stream = await post({ transport });
  gate.open();
  assert.equal(textOf(await messageOf(stream)), TEXT);
  assert.deepEqual(between, []);
});

Deno.test("ai transport: the page of an intermediary does not replace the known answer", async () => {
  await using server = startServer();
  const gate = new Gate();
  await using app = startChatApp({ chat: chatOf(server.engine), model: gatedModel(gate) });
  let isBetween = false;
  const transport = transportOf(app.api, {
    fetch: (input, init) =>
      isBetween ? Promise.resolve(new Response("<h1>Sign in</h1>")) : fetch(input, init),
  });
  // A regenerated answer cannot be found by its question, which already has another answer.
  const stream = await transport.sendMessages({
    chatId: "c1",
    messages: [userMessage()],
    trigger: "regenerate-message",
    messageId: undefined,
    abortSignal: undefined,
  });
  await readSome(stream);
  await stream.cancel();
  gate.open();
  await ends(server);
  isBetween = true;
  await assert.rejects(Array.fromAsync((await resume({ transport }))!), TypeError);
  isBetween = false;
  assert.equal(textOf(await messageOf(await resume({ transport }))), TEXT);
  assert.equal(await resume({ transport }), null, "the page has all of it");
});

Deno.test("ai transport: a refusal and a deleted answer end the attempts", async () => {
  await using server = startServer();
  const model = gatedModel(new Gate());
  const ends = {
    "This chat is not yours": () =>
      Response.json({ error: { code: "FORBIDDEN", message: "This chat is not yours" } }, {
        status: 403,
      }),
    "network error: the stream ended before the answer did": () =>
      new Response(null, { status: 204 }),
  };
  for (const [said, answer] of Object.entries(ends)) {
    await using app = startChatApp({ chat: chatOf(server.engine), model });
    let asked = 0;
    const transport = transportOf(app.api, {
      async fetch(input, init) {
        if (init.method === "GET") {
          asked++;
          return answer();
        }
        const response = await fetch(input, init);
        await response.body!.cancel();
        return new Response("", response);
      },
    });
    await assert.rejects(post({ transport }).then(messageOf), (error: Error) => {
      // useChat resumes by itself after an apparent loss of the connection.
      return error.message === said;
    });
    assert.equal(asked, 1);
    await chatOf(server.engine).stop("c1");
  }
});

Deno.test("ai transport: attempts have a limit, and stop when the page cancels the stream", async () => {
  await using server = startServer();
  await using app = startChatApp({ chat: chatOf(server.engine), model: gatedModel(new Gate()) });
  let asked = 0;
  const options: TaskcastChatTransportOptions<UIMessage> = {
    retry: { ...retry, attempts: 3 },
    async fetch(input, init) {
      if (init.method === "GET") {
        asked++;
        throw new TypeError("Failed to fetch");
      }
      const response = await fetch(input, init);
      await response.body!.cancel();
      return new Response("", response);
    },
  };
  await assert.rejects(post({ transport: transportOf(app.api, options) }).then(messageOf), {
    name: "TypeError",
    message: /^network error/,
  });
  assert.equal(asked, 3);
  const patient = transportOf(app.api, { ...options, retry: { minDelayMs: 1e9, maxDelayMs: 1e9 } });
  const reader = (await post({ transport: patient })).getReader();
  const reading = reader.read();
  await reader.cancel();
  assert((await reading).done);
  assert.equal(asked, 3);
  await chatOf(server.engine).stop("c1");
});

Deno.test("ai transport: a silent connection is abandoned and resumed", async () => {
  await using server = startServer();
  const gate = new Gate();
  await using app = startChatApp({ chat: chatOf(server.engine), model: gatedModel(gate) });
  let asked = 0;
  const transport = transportOf(app.api, {
    idleTimeoutMs: 40,
    async fetch(input, init) {
      const response = await fetch(input, init);
      if (asked++ > 0) gate.open();
      return response;
    },
  });
  assert.equal(textOf(await messageOf(await post({ transport }))), TEXT);
  assert(asked > 1);
});

Deno.test("ai transport: resuming completes partial messages, and repeats nothing", async () => {
  await using server = startServer();
  const chat = chatOf(server.engine);
  const gate = new Gate();
  await using app = startChatApp({ chat, model: gatedModel(gate) });
  const transport = transportOf(app.api);
  const stream = await post({ transport });
  await readSome(stream);
  await stream.cancel();
  gate.open();
  await ends(server);
  assert.equal(
    await resume({ transport: app.transport }),
    null,
    "the AI SDK's own transport gets nothing",
  );
  // Components create a new one on each render.
  const next = transportOf(app.api);
  assert.equal(textOf(await messageOf(await resume({ transport: next }))), TEXT);
  assert.equal(await resume({ transport }), null, "the page has all of it");
  assert.equal(await resume({ transport }, "another chat"), null);
});

Deno.test("ai transport: a page that was opened before the answer ended gets the answer once", async () => {
  await using server = startServer();
  const gate = new Gate();
  gate.open();
  await using app = startChatApp({ chat: chatOf(server.engine), model: gatedModel(gate) });
  const answer = await messageOf(await post(app));
  let pages = 0;
  const opened = async (...messages: UIMessage[]) => {
    // Another URL stands for another page, since known answers are kept per page.
    const transport = transportOf(`${app.api}?page=${++pages}`, { messages });
    const stream = await resume({ transport });
    const message = stream === null ? null : await messageOf(stream);
    assert.equal(await resume({ transport }), null, "only once");
    return message;
  };
  assert.deepEqual(await opened(userMessage()), answer);
  const { id, role } = answer;
  const part = {
    id,
    role,
    parts: [{ type: "text" as const, text: "A", state: "streaming" as const }],
  };
  assert.deepEqual(await opened(userMessage(), part), answer);
  assert.equal(await opened(userMessage(), answer), null);
  assert.equal(await opened({ ...userMessage(), id: "another question" }), null);
  assert.equal(await opened(), null);
});

Deno.test("ai transport: a post whose response is lost is not repeated, and its answer is found", async () => {
  await using server = startServer();
  const gate = new Gate();
  gate.open();
  await using app = startChatApp({ chat: chatOf(server.engine), model: gatedModel(gate) });
  const transport = transportOf(app.api, {
    async fetch(input, init) {
      const response = await fetch(input, init);
      if (init.method !== "POST") return response;
      await response.body!.cancel();
      throw new TypeError("Failed to fetch");
    },
  });
  await assert.rejects(post({ transport }), TypeError);
  assert.equal(app.posts, 1);
  await ends(server);
  assert.equal(textOf(await messageOf(await resume({ transport }))), TEXT);
});

Deno.test("ai transport: a message without an id gets the same id when it is repeated", async () => {
  await using server = startServer();
  const chat = chatOf(server.engine);
  for (const hasStart of [true, false]) {
    const gate = new Gate();
    const routes = chat.routes<Request>({
      allows: () => true,
      answer: async function* () {
        if (hasStart) yield { type: "start" };
        yield { type: "text-start", id: "0" };
        yield { type: "text-delta", id: "0", delta: "Half" };
        await gate.pass(undefined);
        yield { type: "text-end", id: "0" };
      },
    });
    const transport = transportOf("http://localhost/api/chat", {
      fetch: (input, init) => routes(new Request(input, init)),
    });
    const stream = await post({ transport });
    const [start] = await readSome(stream);
    await stream.cancel();
    gate.open();
    await ends(server);
    const [again] = await Array.fromAsync((await resume({ transport }))!);
    assert.equal(start!.type, "start");
    assert.deepEqual(again, start);
    const [task] = (await server.engine.listTasks({ tag: "chat:c1" })).tasks;
    assert.equal((start as { messageId?: string }).messageId, task!.id);
  }
});

Deno.test("ai transport: an answer that continues a message keeps the message's id", async () => {
  await using server = startServer();
  const routes = chatOf(server.engine).routes<Request>({
    allows: () => true,
    answer: async function* () {
      yield { type: "start" };
      yield await Promise.resolve({ type: "finish" });
    },
  });
  const transport = transportOf("http://localhost/api/chat", {
    fetch: (input, init) => routes(new Request(input, init)),
  });
  const answered: UIMessage = { id: "m1", role: "assistant", parts: [] };
  const stream = await transport.sendMessages({
    chatId: "c1",
    messages: [userMessage(), answered],
    trigger: "submit-message",
    messageId: undefined,
    abortSignal: undefined,
  });
  const reader = stream.getReader();
  assert.deepEqual((await reader.read()).value, { type: "start" });
  await reader.cancel();
  await ends(server);
  const [start] = await Array.fromAsync((await resume({ transport }))!);
  assert.deepEqual(start, { type: "start", messageId: "m1" });
});

Deno.test("ai transport: if the store lost a part of an answer, it is not mixed with the new one", async () => {
  const store = restorableStore();
  await using server = startServer({ engine: { shortTermStore: store, options: { pollMs: 5 } } });
  const { engine } = server;
  const gate = new Gate();
  const chat = chatOf(engine);
  const transport = transportOf("http://localhost/api/chat", {
    fetch: (input, init) => routeWith(chat, gate)(new Request(input, init)),
  });
  const reader = (await post({ transport })).getReader();
  await reader.read();
  const { tasks: [task] } = await engine.listTasks({ tag: "chat:c1" });
  const delta = (text: string) => ({
    type: "ai.text-delta",
    data: { type: "text-delta", id: "0", delta: text },
    seriesId: "text:0",
    seriesMode: "accumulate" as const,
    seriesAccField: "delta",
  });
  await engine.publishEvent(task!.id, {
    type: "ai.text-start",
    data: { type: "text-start", id: "0" },
  });
  const saved = store.changes;
  await engine.publishEvent(task!.id, delta("LOST"));
  while ((await reader.read()).value?.type !== "text-delta");
  await store.restore(saved);
  await engine.publishEvent(task!.id, delta("KEPT"));
  await assert.rejects(async () => {
    while (!(await reader.read()).done);
  }, /network error: a part of the answer was lost/);
  gate.open();
  assert.match(JSON.stringify(await messageOf(await resume({ transport }))), /"text":"KEPT"/);
});

/** Returns routes whose answer the test publishes. */
function routeWith(chat: TaskcastChat, gate: Gate): (request: Request) => Promise<Response> {
  return chat.routes<Request>({
    allows: () => true,
    answer: async function* () {
      yield { type: "start", messageId: "m1" };
      await gate.pass(undefined);
    },
  });
}

Deno.test("ai transport: stop is a DELETE that cancels the answer and keeps it", async () => {
  await using server = startServer();
  await using app = startChatApp({ chat: chatOf(server.engine), model: gatedModel(new Gate()) });
  const sent: string[] = [];
  const transport = transportOf(`${app.api}?tenant=7`, {
    headers: () => Promise.resolve({ authorization: "Bearer me" }),
    credentials: "include",
    fetch(input, init) {
      const { authorization } = Object.fromEntries(new Headers(init.headers));
      sent.push(
        `${init.method} ${input.replace(app.api, "")} ${authorization} ${init.credentials}`,
      );
      return fetch(input, init);
    },
  });
  const answer = messageOf(await post({ transport }, "a/b"));
  await until(async () => {
    const { tasks: [task] } = await server.engine.listTasks({ tag: "chat:a/b" });
    return (await server.engine.getEvents(task!.id)).events.some((event) =>
      event.type === "ai.text-delta"
    );
  }, "something was said");
  await transport.stop("a/b");
  assert(TEXT.startsWith(textOf(await answer)));
  const { tasks: [task] } = await server.engine.listTasks({ tag: "chat:a/b" });
  assert.equal(task!.status, "cancelled");
  await transport.stop("a/b"); // Nothing is left to stop.
  assert.equal((await server.engine.listTasks({ tag: "chat:a/b" })).tasks.length, 1);
  const stop = "DELETE /a%2Fb?tenant=7 Bearer me include";
  assert.deepEqual(sent, ["POST ?tenant=7 Bearer me include", stop, stop]);
  await assert.rejects(transport.stop(".."), TypeError);
});

Deno.test("ai transport: stop() during a post stops the answer to that post", async () => {
  await using server = startServer();
  await using app = startChatApp({ chat: chatOf(server.engine), model: gatedModel(new Gate()) });
  const stopped = Promise.withResolvers<void>();
  const options: TaskcastChatTransportOptions<UIMessage> = {
    async fetch(input, init) {
      if (init.method === "POST") await stopped.promise;
      const response = await fetch(input, init);
      if (init.method === "DELETE") stopped.resolve();
      return response;
    },
  };
  const posted = post({ transport: transportOf(app.api, options) });
  // Components create a new one on each render.
  await transportOf(app.api, options).stop("c1");
  const { tasks: [task] } = await server.engine.listTasks({ tag: "chat:c1" });
  assert.equal(task!.status, "cancelled");
  assert(TEXT.startsWith(textOf(await messageOf(await posted))));
});

Deno.test("ai transport: requests are prepared as those of the AI SDK's own transport", async () => {
  const requests: Record<string, unknown[]> = { ours: [], theirs: [] };
  for (
    const [name, Transport] of [
      ["ours", TaskcastChatTransport<UIMessage>],
      ["theirs", DefaultChatTransport<UIMessage>],
    ] as const
  ) {
    for (const isPrepared of [false, true]) {
      const transport = new Transport({
        body: () => ({ tenant: 7 }),
        headers: { "x-tenant": "7" },
        ...isPrepared && {
          prepareSendMessagesRequest: ({ id, messages, body, requestMetadata, trigger }) => ({
            body: { id, message: messages.at(-1), body, requestMetadata, trigger },
            headers: { "x-own": "1" },
          }),
          prepareReconnectToStreamRequest: ({ id, api, requestMetadata }) => ({
            api: `${api}/resume?chat=${id}&m=${requestMetadata}`,
          }),
        },
        fetch(input: string | URL | Request, init?: RequestInit) {
          const headers = Object.fromEntries(new Headers(init?.headers));
          const { method, body, credentials } = init!;
          requests[name]!.push([input, method, headers, body, credentials]);
          return Promise.resolve(
            method === "GET"
              ? new Response(null, { status: 204 })
              : new Response("data: [DONE]\n\n", {
                headers: { "content-type": "text/event-stream" },
              }),
          );
        },
      });
      const call = { chatId: "c 1", metadata: "m", body: { more: 1 }, headers: { "x-call": "1" } };
      const stream = await transport.sendMessages({
        ...call,
        messages: [userMessage()],
        trigger: "submit-message",
        messageId: "m1",
        abortSignal: undefined,
      });
      assert.deepEqual(await Array.fromAsync(stream), []);
      assert.equal(await transport.reconnectToStream(call), null);
    }
  }
  assert.equal(requests.ours!.length, 4);
  assert.deepEqual(requests.ours, requests.theirs);
});

Deno.test("ai transport: invalid options are refused", () => {
  for (
    const options of [
      { retry: { attempts: 0 } },
      { retry: { attempts: 1.5 } },
      { retry: { minDelayMs: 0 } },
      { idleTimeoutMs: 0 },
      { idleTimeoutMs: NaN },
    ]
  ) {
    assert.throws(() => new TaskcastChatTransport(options), RangeError);
  }
});
