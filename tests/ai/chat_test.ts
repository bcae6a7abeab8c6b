import { TaskcastError } from "@taskcast/core";
import { tool } from "ai";
import type { UIMessage } from "ai";
import assert from "node:assert/strict";
import { z } from "zod";
import type { ChatApp } from "../../testing/pages/chat_app.ts";
import { chatOf, messageOf, post, resume, startChatApp } from "../../testing/pages/chat_app.ts";
import { finish, Gate, scriptedModel, textParts } from "../../testing/pages/scripted_model.ts";
import { until } from "../../testing/sse/sse.ts";
import type { TestServer } from "../../testing/servers/test_server.ts";
import { startServer } from "../../testing/servers/test_server.ts";

// Every test runs with the engine in the process, and again with a server and its clients.
const PLACES = {
  "in the process": ({ engine }: TestServer) => engine,
  "on a server": ({ url }: TestServer) => url,
};

const TEXT = "A task is an append-only log. 任务是只追加的日志 😀";

/** Reads chunks until the text of the answer has this length, and disconnects. */
async function readUntil(app: ChatApp, length: number): Promise<void> {
  const stream = (await post(app)).getReader();
  for (let read = 0; read < length;) {
    const { value } = await stream.read();
    if (value?.type === "text-delta") read += value.delta.length;
  }
  await stream.cancel();
}

/** Returns the only task of a chat, once it has ended. */
async function endedTask({ engine }: TestServer) {
  let task = (await engine.listTasks({ tag: "chat:c1" })).tasks[0];
  await until(async () => {
    task = (await engine.listTasks({ tag: "chat:c1" })).tasks[0];
    return task?.completedAt !== undefined;
  }, "the task ends");
  return task!;
}

/** Streams an image that is too large for an event, and continues until it is stopped. */
async function* hugeImage(signal: AbortSignal) {
  yield { type: "start" };
  const url = `data:image/png;base64,${"A".repeat(1100 * 1024)}`;
  yield { type: "file", url, mediaType: "image/png" };
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}

for (const [place, tasksOf] of Object.entries(PLACES)) {
  Deno.test(`ai, ${place}: a whole answer becomes a completed task`, async () => {
    await using server = startServer();
    let kept: UIMessage | undefined;
    const model = scriptedModel(async function* () {
      yield* textParts(TEXT);
      yield finish();
    });
    await using app = startChatApp({
      chat: chatOf(tasksOf(server)),
      model,
      onFinish: (message) => void (kept = message),
    });
    const message = await messageOf(await post(app));
    assert.deepEqual(message.parts.at(-1), {
      type: "text",
      text: TEXT,
      state: "done",
      providerMetadata: undefined,
    });
    assert.deepEqual(JSON.parse(JSON.stringify(message)), JSON.parse(JSON.stringify(kept)));
    const task = await endedTask(server);
    assert.equal(task.type, "ai.chat");
    assert.equal(task.status, "completed");
    assert.equal(await resume(app), null, "nothing is left to resume");
    assert.equal(await resume(app, "never heard of"), null);
  });

  Deno.test(`ai, ${place}: two reloads during an answer and a second device get the same message`, async () => {
    await using server = startServer();
    const gates = [new Gate(), new Gate()];
    const model = scriptedModel(async function* (signal) {
      const parts = [...textParts(TEXT)];
      for (const [at, part] of parts.entries()) {
        if (at === 5) await gates[0]!.pass(signal);
        if (at === 10) await gates[1]!.pass(signal);
        yield part;
      }
      yield finish();
    });
    await using app = startChatApp({ chat: chatOf(tasksOf(server)), model });
    const uninterrupted = post(app).then(messageOf);
    await gates[0]!.reached;
    const first = await resume(app);
    await first!.cancel();
    const again = await resume(app);
    gates[0]!.open();
    await gates[1]!.reached;
    const other = await resume(app);
    gates[1]!.open();
    const [expected, ...resumed] = await Promise.all([
      uninterrupted,
      messageOf(again),
      messageOf(other),
    ]);
    assert.equal((expected.parts.at(-1) as { text: string }).text, TEXT);
    assert.deepEqual(resumed, [expected, expected]);
    assert.equal(app.posts, 1);
    assert.equal(model.doStreamCalls.length, 1);
  });

  Deno.test(`ai, ${place}: an answer is generated to its end if its reader disconnects`, async () => {
    await using server = startServer();
    const gate = new Gate();
    let kept: UIMessage | undefined;
    const model = scriptedModel(async function* (signal) {
      const [start, ...parts] = textParts(TEXT);
      yield start!;
      yield parts.shift()!;
      await gate.pass(signal);
      yield* parts;
      yield finish();
    });
    await using app = startChatApp({
      chat: chatOf(tasksOf(server)),
      model,
      onFinish: (message) => void (kept = message),
    });
    await readUntil(app, 3);
    gate.open();
    assert.equal((await endedTask(server)).status, "completed");
    assert.equal((kept!.parts.at(-1) as { text: string }).text, TEXT);
  });

  Deno.test(`ai, ${place}: reasoning, a tool call and a second step are resumed as the same message`, async () => {
    await using server = startServer();
    const gates = [new Gate(), new Gate()];
    const model = scriptedModel(async function* (signal) {
      yield { type: "reasoning-start", id: "0" };
      yield { type: "reasoning-delta", id: "0", delta: "I need " };
      yield { type: "reasoning-delta", id: "0", delta: "the weather" };
      yield { type: "reasoning-end", id: "0" };
      yield { type: "tool-input-start", id: "call", toolName: "weather" };
      yield { type: "tool-input-delta", id: "call", delta: '{"city":' };
      await gates[0]!.pass(signal);
      yield { type: "tool-input-delta", id: "call", delta: '"Paris"}' };
      yield { type: "tool-input-end", id: "call" };
      yield {
        type: "tool-call",
        toolCallId: "call",
        toolName: "weather",
        input: '{"city":"Paris"}',
      };
      yield finish("tool-calls");
    }, async function* (signal) {
      const [start, ...parts] = textParts("21 degrees");
      yield start!;
      yield parts.shift()!;
      await gates[1]!.pass(signal);
      yield* parts;
      yield finish();
    });
    const weather = tool({
      inputSchema: z.object({ city: z.string() }),
      execute: ({ city }) => ({ city, degrees: 21 }),
    });
    await using app = startChatApp({ chat: chatOf(tasksOf(server)), model, tools: { weather } });
    const uninterrupted = post(app).then(messageOf);
    await gates[0]!.reached;
    const inTool = await resume(app);
    gates[0]!.open();
    await gates[1]!.reached;
    const inText = await resume(app);
    gates[1]!.open();
    const expected = await uninterrupted;
    assert.deepEqual(expected.parts.map(({ type }) => type), [
      "step-start",
      "reasoning",
      "tool-weather",
      "step-start",
      "text",
    ]);
    assert.deepEqual(await messageOf(inTool), expected);
    assert.deepEqual(await messageOf(inText), expected);
  });

  Deno.test(`ai, ${place}: an answer is stopped from another device and its part is kept`, async () => {
    await using server = startServer();
    const gate = new Gate();
    let aborted = false;
    let kept: { message: UIMessage; isAborted: boolean } | undefined;
    const model = scriptedModel(async function* (signal) {
      signal!.addEventListener("abort", () => aborted = true);
      yield { type: "text-start", id: "0" };
      yield { type: "text-delta", id: "0", delta: "Half" };
      await gate.pass(signal);
    });
    await using app = startChatApp({
      chat: chatOf(tasksOf(server)),
      model,
      onFinish: (message, isAborted) => void (kept = { message, isAborted }),
    });
    const reading = (await post(app)).getReader();
    const types: string[] = [];
    const readOn = async () => {
      const { done, value } = await reading.read();
      if (!done) types.push(value.type);
      return !done;
    };
    while (!types.includes("text-delta")) await readOn();
    const stopped = await fetch(`${app.api}/c1`, { method: "DELETE" });
    assert.deepEqual(await stopped.json(), { stopped: 1 });
    while (await readOn());
    assert.deepEqual(types.slice(-2), ["text-delta", "abort"]);
    await until(() => kept !== undefined, "the part of the answer is saved");
    assert(aborted, "the model's signal is aborted");
    assert(kept!.isAborted);
    assert.equal((kept!.message.parts.at(-1) as { text: string }).text, "Half");
    assert.equal((await endedTask(server)).status, "cancelled");
    assert.equal(await resume(app), null);
    assert.deepEqual(await (await fetch(`${app.api}/c1`, { method: "DELETE" })).json(), {
      stopped: 0,
    });
  });

  Deno.test(`ai, ${place}: an error of the model fails the answer without details`, async () => {
    await using server = startServer();
    const gate = new Gate();
    const model = scriptedModel(async function* (signal) {
      yield { type: "text-start", id: "0" };
      yield { type: "text-delta", id: "0", delta: "Half" };
      await gate.pass(signal);
      yield { type: "error", error: new Error("key sk-secret is out of credit") };
      yield finish();
    });
    await using app = startChatApp({ chat: chatOf(tasksOf(server)), model });
    const first = (await post(app)).getReader();
    await gate.reached;
    const second = messageOf(await resume(app));
    gate.open();
    await assert.rejects(second, /An error occurred/);
    const { error, status } = await endedTask(server);
    assert.equal(status, "failed");
    assert.equal(error?.message, "An error occurred.");
    await first.cancel();
  });

  Deno.test(`ai, ${place}: a stream that breaks or a function that throws fails the task`, async () => {
    await using server = startServer();
    const reported: unknown[] = [];
    const chat = chatOf(tasksOf(server), {
      onError: (error) => {
        reported.push(error);
        return "It broke";
      },
    });
    const broken = new Error("sk-secret");
    const response = await chat.respond(
      "c1",
      async function* () {
        yield { type: "start" };
        await Promise.resolve();
        throw broken;
      }(),
    );
    const body = await response.text();
    assert.match(body, /{"type":"error","errorText":"It broke"}\n\ndata: \[DONE\]/);
    assert.deepEqual((await endedTask(server)).error, { message: "It broke" });
    await assert.rejects(
      chat.respond("c1", () => {
        throw broken;
      }),
      broken,
    );
    assert.deepEqual(reported, [broken, broken]);
    const { tasks } = await server.engine.listTasks({ tag: "chat:c1" });
    assert.deepEqual(tasks.map(({ status }) => status), ["failed", "failed"]);
  });

  Deno.test(`ai, ${place}: a chunk that is too large fails the answer and stops it`, async () => {
    await using server = startServer();
    const reported: unknown[] = [];
    const chat = chatOf(tasksOf(server), {
      onError: (error) => {
        reported.push(error);
        return "Too large";
      },
    });
    let signal: AbortSignal | undefined;
    const response = await chat.respond("c1", (context) => {
      signal = context.signal;
      return hugeImage(signal);
    });
    assert.match(await response.text(), /"errorText":"Too large"/);
    assert(signal!.aborted);
    assert.equal(reported.length, 1);
    assert.equal((await endedTask(server)).status, "failed");
  });

  Deno.test(`ai, ${place}: two simultaneous posts are two answers, and the newest is resumed`, async () => {
    await using server = startServer();
    const gates = [new Gate(), new Gate()];
    const texts = ["one", "two"];
    const model = scriptedModel(
      ...texts.map((text, i) =>
        async function* (signal: AbortSignal | undefined) {
          await gates[i]!.pass(signal);
          yield* textParts(text);
          yield finish();
        }
      ),
    );
    await using app = startChatApp({ chat: chatOf(tasksOf(server)), model });
    const answers = await Promise.all([post(app), post(app)]);
    const devices = await Promise.all([resume(app), resume(app)]);
    for (const gate of gates) gate.open();
    const [one, two, ...resumed] = await Promise.all([...answers, ...devices].map(messageOf));
    const textOf = (message: UIMessage) => (message.parts.at(-1) as { text: string }).text;
    assert.deepEqual([textOf(one!), textOf(two!)].toSorted(), texts);
    assert.deepEqual(resumed[0], resumed[1], "both devices resume the same");
    const [newest] = (await server.engine.listTasks({ tag: "chat:c1" })).tasks;
    const log = await server.engine.getEvents(newest!.id, { seriesFormat: "accumulated" });
    const text = log.events.find(({ seriesId }) => seriesId !== undefined)!.data;
    assert.equal((text as { delta: string }).delta, textOf(resumed[0]!));
  });
}

Deno.test("ai: resume answers 204 only after onFinish is done", async () => {
  await using server = startServer();
  const saving = new Gate();
  const model = scriptedModel(async function* () {
    yield* textParts(TEXT);
    yield finish();
  });
  await using app = startChatApp({
    chat: chatOf(server.engine),
    model,
    onFinish: () => saving.pass(undefined),
  });
  const posted = await post(app);
  await saving.reached;
  const resumed = await resume(app);
  assert.notEqual(resumed, null);
  saving.open();
  assert.deepEqual(await messageOf(resumed), await messageOf(posted));
  assert.equal(await resume(app), null);
});

Deno.test("ai: an answer that is stopped before its start is never generated", async () => {
  await using server = startServer();
  const { engine } = server;
  const chat = chatOf(engine);
  const create = engine.createTask.bind(engine);
  engine.createTask = async (input) => {
    const task = await create(input);
    await chat.stop("c1");
    return task;
  };
  let calls = 0;
  const begin = () => {
    calls++;
    return new ReadableStream<never>();
  };
  const told = /^data: {"type":"abort",.*}\n\ndata: \[DONE\]\n\n$/;
  assert.match(await (await chat.respond("c1", begin)).text(), told);
  assert.equal(calls, 0);
  let cancelled = 0;
  const begun = () => new ReadableStream<never>({ cancel: () => void cancelled++ });
  assert.match(await (await chat.respond("c1", begun())).text(), told);
  assert.equal(cancelled, 1);
  await assert.rejects(chat.respond("", begun()), { code: "INVALID_INPUT" });
  assert.equal(cancelled, 2, "an unused stream is cancelled");
});

Deno.test("ai: a short outage of the store does not affect an answer", async () => {
  await using server = startServer();
  const { engine } = server;
  const lost = new Set<string>();
  // The first call of each kind takes effect, but its answer is lost.
  const loseFirst = <Args extends unknown[], T>(
    name: string,
    call: (...args: Args) => Promise<T>,
  ) =>
  async (...args: Args) => {
    const answer = await call(...args);
    if (lost.has(name)) return answer;
    lost.add(name);
    throw new TaskcastError("STORE_UNAVAILABLE", "Nobody answers");
  };
  const publish = loseFirst("publish", engine.publishEvents.bind(engine));
  const end = loseFirst("end", engine.transitionTask.bind(engine));
  const transition = engine.transitionTask.bind(engine);
  engine.publishEvents = publish;
  engine.transitionTask = (id, status, options) =>
    status === "running" ? transition(id, status, options) : end(id, status, options);
  const reported: unknown[] = [];
  const chat = chatOf(engine, { onError: (error) => String(reported.push(error)) });
  const model = scriptedModel(async function* () {
    yield* textParts(TEXT);
    yield finish();
  });
  await using app = startChatApp({ chat, model });
  const message = await messageOf(await post(app));
  assert.equal((message.parts.at(-1) as { text: string }).text, TEXT);
  assert.equal((await endedTask(server)).status, "completed");
  assert.deepEqual([...lost], ["publish", "end"]);
  assert.deepEqual(reported, []);
});
