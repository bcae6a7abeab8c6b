import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
import type { LanguageModel } from "ai";
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { bundle, createPage } from "../../examples/ai_chat/server.ts";
import { browserTest } from "../../testing/pages/browser.ts";
import { finish, Gate, scriptedModel, textParts } from "../../testing/pages/scripted_model.ts";
import { serve } from "../../testing/network/serve.ts";
import { until } from "../../testing/sse/sse.ts";

// The real `ai` and `@ai-sdk/react` in a browser: whatever happens to the page while an answer is
// generated, it ends up with the whole answer in one message.

const TEXT = "A task is an append-only log, and every change is one atomic commit. ".repeat(9)
  .slice(0, 590);

/** Length of the part after which each answer pauses. */
const PART = 140;

/** Returns a model whose answers pause after 140 of 590 characters. */
function waitingModel(gates: Gate[]): LanguageModel {
  let answers = 0;
  return scriptedModel(async function* (signal) {
    const gate = gates[answers++]!;
    yield { type: "text-start", id: "0" };
    yield { type: "text-delta", id: "0", delta: TEXT.slice(0, PART) };
    await gate.pass(signal);
    yield* [...textParts(TEXT.slice(PART), 15)].slice(1);
    yield finish();
  });
}

/** Waits until the page shows this many characters of the answer in one message, in this state. */
async function shows(page: Page, length: number, state: string): Promise<void> {
  const told = () => page.locator(".assistant").allTextContents();
  await page.locator(".state", { hasText: state }).waitFor();
  await until(async () => (await told()).join("").length >= length, `it shows ${length}`);
  assert.deepEqual(await told(), [TEXT.slice(0, length)]);
}

browserTest(
  "examples/ai_chat: an answer that ended while the page was away is shown completely",
  async (page) => {
    await using engine = new TaskEngine({
      broadcast: new MemoryBroadcastProvider(),
      shortTermStore: new MemoryShortTermStore(),
    });
    const gates = [new Gate(), new Gate(), new Gate()];
    const app = createPage(engine, await bundle(), waitingModel(gates));
    const posts: string[] = [];
    await using server = serve((request) => {
      if (request.method !== "GET") posts.push(request.method);
      return app.fetch(request);
    });
    const ask = async (chatId: string, tab = page) => {
      await tab.goto(`${server.url}/#${chatId}`);
      await tab.reload(); // A new fragment alone would not load the page again.
      await tab.fill("input", "What is a task?");
      await tab.click("text=Send");
      await shows(tab, PART, "streaming");
    };
    const ended = (chatId: string) =>
      until(async () => {
        const { tasks: [task] } = await engine.listTasks({ tag: `chat:${chatId}` });
        return task?.completedAt !== undefined;
      }, "the answer ends");

    await ask("left");
    await page.click("text=Leave");
    await shows(page, PART, "ready");
    gates[0]!.open();
    await ended("left");
    await page.click("text=Come back");
    await shows(page, TEXT.length, "ready");

    await ask("cut");
    await page.context().setOffline(true);
    await server.cut();
    gates[1]!.open();
    await ended("cut");
    await page.context().setOffline(false);
    await shows(page, TEXT.length, "ready");

    await ask("stopped");
    await page.click("text=Stop");
    await shows(page, PART, "ready");
    const { tasks: [stopped] } = await engine.listTasks({ tag: "chat:stopped" });
    assert.equal(stopped!.status, "cancelled", "it is kept");
    await page.reload();
    await shows(page, PART, "ready");
    assert.deepEqual(posts, ["POST", "POST", "POST", "DELETE"]);
  },
);
