import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
import type { Page } from "playwright-core";
import assert from "node:assert/strict";
import { bundle, createPage } from "../../examples/react_page/server.ts";
import { browserTest } from "../../testing/pages/browser.ts";
import { say } from "../../testing/sse/publish.ts";
import { serve } from "../../testing/network/serve.ts";
import { until } from "../../testing/sse/sse.ts";

/** Waits until the page shows a text as the answer. */
async function shows(page: Page, text: string): Promise<void> {
  await until(async () => await page.locator(".text").textContent() === text, `it shows ${text}`);
}

await browserTest("examples/react_page: reloads, a second window, the end, Stop", async (page) => {
  await using engine = new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
  });
  const started: string[] = [];
  const app = createPage(engine, await bundle(), async (_, taskId) => {
    started.push(taskId);
    await engine.transitionTask(taskId, "running");
  });
  await using server = serve((request) => app.fetch(request));

  await page.goto(server.url);
  await page.click("text=Start");
  await until(() => started.length === 1, "the work begins");
  const taskId = started[0]!;
  await say(engine, taskId, "Once ", "upon ");
  await shows(page, "Once upon ");
  await page.reload();
  await shows(page, "Once upon ");
  const second = await page.context().newPage();
  await second.goto(page.url());
  await shows(second, "Once upon ");
  await engine.publishEvent(taskId, { type: "tool.call", data: "looked it up" });
  await say(engine, taskId, "a ", "time");
  for (const window of [page, second]) {
    await shows(window, "Once upon a time");
    await window.locator("li", { hasText: "looked it up" }).waitFor();
    await window.locator(".state", { hasText: "running" }).waitFor();
  }
  // One for each filter and window, StrictMode or not: none was opened twice or left behind.
  await until(() => engine.stats.streams === 4, "each window has two connections");

  await second.click("text=Stop");
  for (const window of [page, second]) {
    await window.locator(".state", { hasText: "cancelled" }).waitFor();
    assert.equal(await window.locator("text=Stop").count(), 0);
  }
  await page.reload();
  await shows(page, "Once upon a time");
});
