import assert from "node:assert/strict";
import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
import type { Page } from "playwright-core";
import { createChat } from "../../examples/chat/server.ts";
import { browserTest } from "../../testing/pages/browser.ts";
import type { CommandWords } from "../../testing/servers/cli.ts";
import { withExampleServer } from "../../testing/servers/example_server.ts";
import type { OpenAiStandIn } from "../../testing/servers/openai_stand_in.ts";
import { openAiStandIn } from "../../testing/servers/openai_stand_in.ts";
import { serve } from "../../testing/network/serve.ts";
import { allFrames, until } from "../../testing/sse/sse.ts";

const ROOT = new URL("../../", import.meta.url);

/** Runs a file of this repository on a free port until `use` is done. */
async function withExample(args: string[], use: (url: string) => Promise<void>): Promise<void> {
  const command: CommandWords = [Deno.execPath(), ...args];
  await withExampleServer({ command, folder: ROOT, health: "/health" }, use);
}

Deno.test("examples/quick_start.ts: its task can be followed", async () => {
  await withExample(["run", "-A", "examples/quick_start.ts"], async (url) => {
    const seen = await allFrames(`${url}/tasks/hello/events`);
    assert.equal(seen[1]!.data.data.delta, "Hello, world");
    assert.deepEqual(seen.at(-1)!.data, { reason: "completed" });
  });
});

interface Chat {
  url: string;
  engine: TaskEngine;
  model: OpenAiStandIn;
}

async function withChat(use: (chat: Chat) => Promise<void>): Promise<void> {
  await using engine = new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
  });
  await using model = openAiStandIn();
  const app = createChat(engine, { baseUrl: model.baseUrl, model: "stand-in", apiKey: "key" });
  await using server = serve(app.fetch);
  await use({ url: server.url, engine, model });
}

async function ask({ url, model }: Chat, prompt: string): Promise<string> {
  const response = await fetch(`${url}/chat`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ prompt }),
  });
  assert.equal(response.status, 202);
  await until(() => model.requests.length > 0, "the model is asked");
  return (await response.json()).taskId;
}

Deno.test("examples/chat: an answer is streamed into a task that ends as the answer does", async () => {
  await withChat(async (chat) => {
    const { url, engine, model } = chat;
    const id = await ask(chat, "Who are you?");
    assert.deepEqual(model.requests[0], {
      model: "stand-in",
      stream: true,
      messages: [{ role: "user", content: "Who are you?" }],
    });
    for (const delta of ["I ", "am ", "nobody 🎉"]) model.say(delta);
    model.finish();
    const seen = await allFrames(`${url}/taskcast/tasks/${id}/events`);
    assert.deepEqual(seen.at(-1)!.data, { reason: "completed" });
    const { events } = await engine.getEvents(id, { seriesFormat: "accumulated" });
    const text = events.find(({ seriesId }) => seriesId === "answer");
    assert.deepEqual(text?.data, { delta: "I am nobody 🎉" });
  });
});

Deno.test("examples/chat: an answer that breaks off fails the task", async () => {
  await withChat(async (chat) => {
    const id = await ask(chat, "?");
    chat.model.say("half of");
    chat.model.finish("break off");
    await until(async () => (await chat.engine.getTask(id))?.status === "failed", "it has failed");
    assert.match((await chat.engine.getTask(id))!.error!.message, /broke off/);
  });
});

Deno.test("examples/chat: cancelling the task stops the model", async () => {
  await withChat(async (chat) => {
    const id = await ask(chat, "?");
    chat.model.say("one");
    await chat.engine.transitionTask(id, "cancelled");
    await until(() => chat.model.abandoned === 1, "nobody reads the model's answer any more");
    assert.equal((await chat.engine.getTask(id))?.status, "cancelled");
  });
});

/** Waits until the page shows a text as the answer. */
async function shows(page: Page, text: string): Promise<void> {
  // Compared exactly: a locator's text match would ignore white space.
  await until(async () => await page.locator("#answer").textContent() === text, `it shows ${text}`);
}

browserTest("examples/chat: the page survives reloads and a second window", async (page) => {
  await withChat(async (chat) => {
    const { url, model } = chat;
    await page.goto(url);
    await page.fill("input", "Tell me");
    await page.click("button");
    await until(() => model.requests.length === 1, "the model is asked");
    model.say("Once ");
    model.say("upon ");
    await shows(page, "Once upon ");
    await page.reload();
    await shows(page, "Once upon ");
    model.say("a time");
    await shows(page, "Once upon a time");
    const second = await page.context().newPage();
    await second.goto(page.url());
    await shows(second, "Once upon a time");
    model.say(" …");
    for (const window of [page, second]) await shows(window, "Once upon a time …");
    model.finish();
    for (const window of [page, second]) {
      await window.locator("#state", { hasText: "completed" }).waitFor();
    }
    await page.reload();
    await shows(page, "Once upon a time …");
  });
});

browserTest("examples/chat: the page's Stop cancels the task", async (page) => {
  await withChat(async (chat) => {
    await page.goto(chat.url);
    await page.fill("input", "Tell me");
    await page.click("button");
    await until(() => chat.model.requests.length === 1, "the model is asked");
    chat.model.say("never ending");
    await shows(page, "never ending");
    await page.click("#stop");
    await page.locator("#state", { hasText: "cancelled" }).waitFor();
    await until(() => chat.model.abandoned === 1, "the model is stopped");
  });
});
