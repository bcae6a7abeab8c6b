import { TaskcastError } from "@taskcast/core";
import type { Context } from "hono";
import { Hono } from "hono";
import assert from "node:assert/strict";
import { chatOf, userMessage } from "../../testing/pages/chat_app.ts";
import { Gate } from "../../testing/pages/scripted_model.ts";
import { startServer } from "../../testing/servers/test_server.ts";

const json = { "content-type": "application/json" };

function posted(id: unknown = "c1", more: object = {}): RequestInit {
  const body = JSON.stringify({ id, messages: [userMessage()], ...more });
  return { method: "POST", headers: json, body };
}

Deno.test("ai routes: under Hono, access to a chat is decided with Hono's context", async () => {
  await using server = startServer();
  type User = { Variables: { user: string } };
  const app = new Hono<User>();
  app.use("*", async (context, next) => {
    context.set("user", context.req.header("x-user") ?? "nobody");
    await next();
  });
  const gate = new Gate();
  const asked: string[] = [];
  const chat = chatOf(server.engine, { protocol: "text" });
  const routes = chat.routes<Context<User>>({
    allows(chatId, context) {
      asked.push(`${context.req.method} ${chatId}`);
      return context.get("user") === "me";
    },
    answer: async function* ({ id, body, source, signal }) {
      await gate.pass(signal);
      yield `${source.get("user")} said ${body.messages.length} thing in ${id}`;
    },
  });
  app.all("/api/chat/*", routes);

  const me = { "x-user": "me" };
  const as = (init: RequestInit) => ({ ...init, headers: { ...init.headers, ...me } });
  const requests: [string, RequestInit][] = [
    ["/api/chat", posted("a/b")],
    ["/api/chat/a%2Fb/stream", {}],
    ["/api/chat/a%2Fb", { method: "DELETE" }],
  ];
  for (const [path, init] of requests) {
    const refused = await app.request(path, init);
    assert.equal(refused.status, 403);
    assert.equal((await refused.json()).error.code, "FORBIDDEN");
  }
  assert.deepEqual(asked, ["POST a/b", "GET a/b", "DELETE a/b"]);
  assert.equal((await server.engine.listTasks()).tasks.length, 0, "no answer was started");

  const [post, stream, stop] = requests;
  const answer = await app.request(post![0], as(post![1]));
  const resumed = await app.request(stream![0], as(stream![1]));
  gate.open();
  for (const response of [answer, resumed]) {
    assert.equal(await response.text(), "me said 1 thing in a/b");
  }
  assert.equal((await app.request(stream![0], as(stream![1]))).status, 204);
  assert.deepEqual(await (await app.request(stop![0], as(stop![1]))).json(), { stopped: 0 });
});

Deno.test("ai routes: invalid requests are refused and start no answer", async () => {
  await using server = startServer();
  let begun = 0;
  const chat = chatOf(server.engine);
  const routes = chat.routes<Request>({
    allows: () => true,
    answer() {
      begun++;
      return new ReadableStream();
    },
    maxBodyBytes: 1_000,
  });
  const at = (path: string, init: RequestInit = {}) =>
    routes(new Request(`http://localhost/api/chat${path}`, init));
  const wrong: [number, string, string, RequestInit?][] = [
    [415, "UNSUPPORTED_MEDIA_TYPE", "", { ...posted(), headers: { "content-type": "text/plain" } }],
    [400, "INVALID_INPUT", "", { ...posted(), body: "{" }],
    [400, "INVALID_INPUT", "", { ...posted(), body: "[]" }],
    [400, "INVALID_INPUT", "", posted(7)],
    [400, "INVALID_INPUT", "", posted("")],
    [400, "INVALID_INPUT", "", posted("x".repeat(201))],
    [413, "PAYLOAD_TOO_LARGE", "", posted("c1", { more: "x".repeat(1_000) })],
    [404, "NOT_FOUND", "/c1"],
    [404, "NOT_FOUND", "/c1", { method: "PUT" }],
    [400, "INVALID_INPUT", "/%FF/stream"],
  ];
  for (const [status, code, path, init] of wrong) {
    const response = await at(path, init);
    const { error } = await response.json();
    assert.deepEqual([response.status, error.code], [status, code], path);
    assert.equal(typeof error.message, "string");
  }
  assert.equal(begun, 0);
  assert.equal((await server.engine.listTasks()).tasks.length, 0);

  server.engine.createTask = () =>
    Promise.reject(new TaskcastError("STORE_UNAVAILABLE", "Nobody answers"));
  assert.equal((await at("", posted())).status, 503);
  const bug = new Error("sk-secret");
  const failing = chat.routes<Request>({
    allows: () => Promise.reject(bug),
    answer: () => new ReadableStream(),
  });
  // Thrown to the host, which knows how to handle it.
  await assert.rejects(failing(new Request("http://localhost/c1/stream")), bug);
});

Deno.test("ai routes: a page cannot resume the answer of another chat, or another task", async () => {
  await using server = startServer();
  const { engine } = server;
  const chat = chatOf(engine);
  const end = async function* () {
    yield { type: "start", messageId: "m1" };
  };
  for (const id of ["mine", "theirs"]) {
    await (await chat.respond(id, end(), { question: `question of ${id}` })).text();
  }
  const { tasks: [theirs] } = await engine.listTasks({ tag: "chat:theirs" });
  const other = await engine.createTask({ type: "llm.chat", tags: ["chat:mine"] });
  const wrong: Record<string, string>[] = [
    { answer: theirs!.id },
    { answer: other.id },
    { answer: "no such task" },
    { answer: "../x" },
    { answer: "" },
    { message: theirs!.id },
    { message: "question of theirs" },
    { message: "" },
    { message: "x".repeat(1_000) },
  ];
  for (const query of wrong) {
    const request = new Request(`http://localhost/?${new URLSearchParams(query)}`);
    for (const options of [query, request]) {
      assert.equal((await chat.resume("mine", options)).status, 204, JSON.stringify(query));
    }
  }
  const { tasks: [mine] } = await engine.listTasks({ tag: "chat:mine", types: ["ai.chat"] });
  for (const query of [{ answer: mine!.id }, { message: "question of mine" }, { message: "m1" }]) {
    const response = await chat.resume("mine", query);
    assert.equal(response.headers.get("taskcast-answer"), mine!.id);
    assert.match(await response.text(), /"messageId":"m1".*\[DONE\]/s);
  }
  await assert.rejects(chat.respond("mine", end(), { question: "" }), { code: "INVALID_INPUT" });
});
