import assert from "node:assert/strict";
import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
import type { Page } from "playwright-core";
import { createPage } from "../../examples/browser_page/server.ts";
import { createChat } from "../../examples/chat/server.ts";
import { bundleClient } from "../../tools/bundle_client.ts";
import { browserTest } from "../../testing/pages/browser.ts";
import { hurried } from "../../testing/network/hurried_fetch.ts";
import type { RestartingServer } from "../../testing/servers/restarting_server.ts";
import { restartingServer } from "../../testing/servers/restarting_server.ts";
import { serve } from "../../testing/network/serve.ts";
import { until } from "../../testing/sse/sse.ts";
import { startServer } from "../../testing/servers/test_server.ts";
import { withFile } from "../../testing/temp_file.ts";

// Whatever happens between a page and its server, the page shows the whole text.

/** A page that shows a series of the task in its address. */
interface Showing {
  /** Query of the page's address. */
  query: string;
  /** Selector of the element with the text. */
  selector: string;
  seriesId: string;
  /** Connections of two tabs together. */
  connections: number;
}

const chat: Showing = { query: "", selector: "#answer", seriesId: "answer", connections: 2 };
const ways: Record<string, Showing> = {
  "fetch": { query: "?transport=fetch", selector: "#text", seriesId: "text", connections: 2 },
  "eventsource": {
    query: "?transport=eventsource",
    selector: "#text",
    seriesId: "text",
    connections: 2,
  },
  "shared": { query: "?share", selector: "#text", seriesId: "text", connections: 1 },
  "shared eventsource": {
    query: "?share&transport=eventsource",
    selector: "#text",
    seriesId: "text",
    connections: 1,
  },
};

/** Streams a text to two tabs through every kind of interruption. */
async function followThrough(
  page: Page,
  server: RestartingServer,
  { query, selector, seriesId, connections }: Showing,
): Promise<void> {
  let text = "";
  const { id } = await server.engine.createTask();
  await server.engine.transitionTask(id, "running");
  const say = async (delta: string) => {
    text += delta;
    const event = { type: "llm.delta", data: { delta }, seriesId } as const;
    await server.engine.publishEvent(id, { ...event, seriesMode: "accumulate" });
  };
  const open = (tab: Page) => tab.goto(`${server.url}/${query}#${id}`);
  const show = async (...tabs: Page[]) => {
    for (const tab of tabs) {
      const shown = () => tab.locator(selector).textContent();
      await until(async () => await shown() === text, `a tab shows ${text}`);
    }
  };
  const connected = (n: number) =>
    until(() => server.engine.stats.streams === n, `${n} connections`);

  await say("Once ");
  await open(page);
  await show(page);
  await say("upon ");
  await show(page);
  await page.reload();
  await show(page);

  const second = await page.context().newPage();
  await open(second);
  await show(second);
  await say("a time ");
  await show(page, second);
  await connected(connections);

  await page.context().setOffline(true);
  const refused = page.context().waitForEvent("requestfailed", {
    predicate: (request) => request.failure()!.errorText === "net::ERR_INTERNET_DISCONNECTED",
  });
  await server.cut(); // A browser that only simulates being offline keeps open connections.
  await say("in the dark ");
  await refused;
  await connected(0);
  await page.context().setOffline(false);
  await show(page, second);
  await connected(connections);

  await say("and then ");
  await server.restart();
  await say("again ");
  await show(page, second);
  await connected(connections);

  await page.reload();
  await show(page, second);
  await say("and again ");
  await show(page, second);
  await page.close();
  await say("alone ");
  await show(second);
  await connected(1);
  await server.engine.transitionTask(id, "completed");
  await second.locator("#state", { hasText: "completed" }).waitFor();
  await show(second);
  await second.reload();
  await show(second);
  await second.locator("#state", { hasText: "completed" }).waitFor();
}

browserTest(
  "examples/chat: reload, second tab, no network, a restart: always the whole text",
  async (page) => {
    await withFile(async (path) => {
      const settings = { baseUrl: "http://127.0.0.1:1", model: "none" };
      await using server = restartingServer(path, (engine) => createChat(engine, settings));
      await followThrough(page, server, chat);
    });
  },
);

for (const [name, way] of Object.entries(ways)) {
  browserTest(
    `examples/browser_page: reload, second tab, no network, a restart, by ${name}`,
    async (page) => {
      const script = await bundleClient();
      await withFile(async (path) => {
        const appOf = (engine: TaskEngine) => createPage(engine, script);
        await using server = restartingServer(path, appOf);
        await followThrough(page, server, way);
      });
    },
  );
}

browserTest(
  "a browser's EventSource follows a task to its end, reconnects once and closes at the 204",
  async (page) => {
    await using task = startServer();
    const { id } = await task.engine.createTask();
    await task.engine.publishEvent(id, { type: "n", data: 1 });
    await task.engine.transitionTask(id, "completed");
    const statuses: number[] = [];
    await using server = serve(async ({ url, headers }) => {
      const { pathname } = new URL(url);
      if (pathname === "/") {
        return new Response("<!doctype html>", { headers: { "content-type": "text/html" } });
      }
      if (pathname === "/favicon.ico") return new Response(null, { status: 404 });
      const cursor = headers.get("last-event-id");
      const answer = await fetch(
        task.url + pathname,
        { headers: cursor === null ? {} : { "last-event-id": cursor } },
      );
      statuses.push(answer.status);
      const text = await answer.text();
      if (answer.status === 200) assert.match(text, /\n\nretry: 30000\n\n$/);
      // Without the delay of half a minute.
      return new Response(answer.status === 204 ? null : hurried(text), answer);
    });
    await page.goto(server.url);
    const seen = await page.evaluate(`new Promise((resolve) => {
      const seen = [];
      const source = new EventSource("/tasks/${id}/events");
      for (const name of ["taskcast.event", "taskcast.done", "message"]) {
        source.addEventListener(name, () => seen.push(name));
      }
      source.addEventListener("error", () => {
        seen.push(source.readyState);
        if (source.readyState === EventSource.CLOSED) resolve(seen);
      });
    })`);
    assert.deepEqual(seen, ["taskcast.event", "taskcast.event", "taskcast.done", 0, 2]);
    assert.deepEqual(statuses, [200, 204]);
  },
);

browserTest(
  "examples/browser_page: its button starts a text, and the page shows it",
  async (page) => {
    await using engine = new TaskEngine({
      broadcast: new MemoryBroadcastProvider(),
      shortTermStore: new MemoryShortTermStore(),
    });
    const app = createPage(engine, await bundleClient(), 1);
    await using server = serve(app.fetch);
    await page.goto(server.url);
    await page.click("button");
    await page.locator("#state", { hasText: "completed" }).waitFor();
    const shown = await page.locator("#text").textContent();
    assert.match(shown ?? "", /^Close this tab, .* shows the whole text\.$/);
  },
);
