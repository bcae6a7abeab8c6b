import assert from "node:assert/strict";
import { chatOf, startChatApp, userMessage } from "../../testing/pages/chat_app.ts";
import { finish, Gate, scriptedModel, textParts } from "../../testing/pages/scripted_model.ts";
import { startServer } from "../../testing/servers/test_server.ts";
import { openPage } from "../../testing/pages/use_chat.ts";

// React's scheduler keeps a channel open for the whole process.
const page = { sanitizeOps: false, sanitizeResources: false };

const TEXT = "A task is an append-only log, and every change is one atomic commit.";

/** Returns a model whose answer pauses midway. */
function gatedModel(gate: Gate) {
  return scriptedModel(async function* (signal) {
    const parts = [...textParts(TEXT)];
    const half = Math.floor(parts.length / 2);
    yield* parts.slice(0, half);
    await gate.pass(signal);
    yield* parts.slice(half);
    yield finish();
  });
}

Deno.test(
  "useChat: reloads in mid-answer and another device show the same message",
  page,
  async () => {
    await using server = startServer();
    const gate = new Gate();
    await using app = startChatApp({ chat: chatOf(server.engine), model: gatedModel(gate) });
    const first = await openPage(app);
    await first.settled("ready");
    void first.chat.sendMessage({ text: "Hi" });
    await first.shows("A task is");
    await gate.reached;
    const messages = structuredClone(first.chat.messages.slice(0, 1)); // As the server saved them.
    const reloaded = await openPage({ ...app, messages });
    await reloaded.shows("A task is");
    await reloaded.close();
    const [again, device] = [
      await openPage({ ...app, messages }),
      await openPage({ ...app, messages }),
    ];
    await again.shows("A task is");
    await device.shows("A task is");
    gate.open();
    for (const { shows, settled } of [first, again, device]) {
      await shows(TEXT);
      await settled("ready");
    }
    const [expected, ...others] = [first, again, device].map(({ chat }) =>
      structuredClone(chat.messages)
    );
    assert.deepEqual(others, [expected, expected]);
    assert.equal(expected!.length, 2);
    assert.equal(app.posts, 1);
    for (const { close } of [first, again, device]) await close();
  },
);

Deno.test(
  "useChat: resumes nothing in a new chat, and shows a stop from another device",
  page,
  async () => {
    await using server = startServer();
    const gate = new Gate();
    const chat = chatOf(server.engine);
    await using app = startChatApp({ chat, model: gatedModel(gate) });
    const tab = await openPage({ ...app, messages: [userMessage()] });
    await tab.settled("ready");
    assert.equal(tab.chat.messages.length, 1);
    void tab.chat.sendMessage({ text: "Hi" });
    await tab.shows("A task is");
    assert.equal(await chat.stop("c1"), 1);
    await tab.settled("ready");
    assert.equal(tab.chat.error, undefined);
    await tab.close();
  },
);

Deno.test("useChat: an error of the model is an error of the chat", page, async () => {
  await using server = startServer();
  const model = scriptedModel(async function* () {
    yield { type: "text-start", id: "0" };
    yield { type: "text-delta", id: "0", delta: "Half" };
    yield await Promise.resolve({ type: "error" as const, error: new Error("sk-secret") });
  });
  await using app = startChatApp({ chat: chatOf(server.engine), model });
  const tab = await openPage(app);
  await tab.settled("ready");
  void tab.chat.sendMessage({ text: "Hi" });
  await tab.settled("error");
  assert.equal(tab.chat.error?.message, "An error occurred.");
  await tab.shows("Half");
  await tab.close();
});

Deno.test(
  "useChat: recognizes a lost connection and resumes the whole answer",
  page,
  async () => {
    await using server = startServer();
    const gate = new Gate();
    const chat = chatOf(server.engine);
    await using app = startChatApp({ chat, model: gatedModel(gate) });
    const tab = await openPage(app);
    await tab.settled("ready");
    void tab.chat.sendMessage({ text: "Hi" });
    await tab.shows("A task is");
    await app.cut();
    await tab.settled("error");
    assert.notEqual(tab.chat.error, undefined);
    const port = Number(new URL(app.api).port);
    await using _next = startChatApp({ chat, model: gatedModel(gate), port });
    const resumed = tab.chat.resumeStream();
    const reloaded = await openPage({ ...app, messages: structuredClone(tab.chat.messages) });
    await reloaded.shows("A task is");
    gate.open();
    await resumed;
    for (const one of [tab, reloaded]) {
      await one.shows(TEXT);
      await one.settled("ready");
      assert.equal(one.chat.messages.length, 2);
      assert.equal((one.chat.messages[1]!.parts.at(-1) as { text: string }).text, TEXT);
      await one.close();
    }
  },
);
