import assert from "node:assert/strict";
import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
import { createTaskcastApp } from "@taskcast/server";
import { Hono } from "hono";
import { SignJWT } from "jose";
import type { BrowserContext, Page } from "playwright-core";
import { createPage } from "../../examples/browser_page/server.ts";
import { bundleClient } from "../../tools/bundle_client.ts";
import { browserTest } from "../../testing/pages/browser.ts";
import { serve } from "../../testing/network/serve.ts";
import { until } from "../../testing/sse/sse.ts";

function openEngine(): TaskEngine {
  return new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
  });
}

/** A task whose text the page shows. */
interface Writing {
  engine: TaskEngine;
  /** Opens the page in another tab. */
  open(context: BrowserContext): Promise<Page>;
  say(delta: string): Promise<void>;
  /** Waits until tabs show the whole text. */
  shown(...tabs: Page[]): Promise<void>;
  /** Number of streams opened so far. */
  readonly streams: number;
}

async function withWriting(query: string, use: (writing: Writing) => Promise<void>): Promise<void> {
  await using engine = openEngine();
  const app = createPage(engine, await bundleClient());
  let streams = 0;
  await using server = serve((request) => {
    if (new URL(request.url).pathname.endsWith("/events")) streams++;
    return app.fetch(request);
  });
  const { id } = await engine.createTask();
  let text = "";
  await use({
    engine,
    async open(context) {
      const tab = await context.newPage();
      await tab.goto(`${server.url}/${query}#${id}`);
      return tab;
    },
    async say(delta) {
      text += delta;
      const series = { seriesId: "text", seriesMode: "accumulate" } as const;
      await engine.publishEvent(id, { type: "text.delta", data: { delta }, ...series });
    },
    async shown(...tabs) {
      for (const tab of tabs) {
        const shows = async () => await tab.locator("#text").textContent() === text;
        await until(shows, `a tab shows ${text}`);
      }
    },
    get streams() {
      return streams;
    },
  });
}

browserTest(
  "share: four tabs have one connection, and the remaining tabs take it over",
  async (page) => {
    await withWriting("?share", async (writing) => {
      const { engine, open, say, shown } = writing;
      const tabs: Page[] = [];
      for (let i = 0; i < 4; i++) {
        await say(`${i} `);
        tabs.push(await open(page.context()));
        await shown(...tabs);
      }
      assert.equal(engine.stats.streams, 1);
      assert.equal(writing.streams, 1, "late tabs were served by the first");
      while (tabs.length > 1) {
        await tabs.shift()!.close();
        await say(`${tabs.length} left `);
        await shown(...tabs);
      }
      await until(() => engine.stats.streams === 1, "there is one connection");
      assert.equal(writing.streams, 4, "each that took over connected once");
    });
  },
);

browserTest(
  "share: a frozen tab loses the connection, and has the whole text when it resumes",
  async (page) => {
    await withWriting("?share", async (writing) => {
      const { engine, open, say, shown } = writing;
      const context = page.context();
      await say("Once ");
      const frozen = await open(context);
      await shown(frozen);
      const other = await open(context);
      await shown(other);
      const session = await context.newCDPSession(frozen);
      await session.send("Debugger.enable");
      await session.send("Debugger.pause"); // Stops it at its next statement.
      await say("upon ");
      const late = await open(context); // Its request to join gets no answer.
      await shown(late, other);
      await say("a time ");
      await shown(late, other);
      assert(writing.streams > 1, "another tab has connected");
      await session.send("Debugger.disable"); // It continues where it was stopped.
      await shown(frozen, late, other);
      await until(() => engine.stats.streams === 1, "there is one connection");
    });
  },
);

browserTest(
  "auto: a page whose fetch does not stream uses EventSource, with a ticket for each connection",
  async (page) => {
    await using engine = openEngine();
    const secret = "a secret of more than thirty-two bytes";
    const script = await bundleClient();
    const app = new Hono();
    app.get("/", (context) => context.html("<!doctype html><title>Empty</title>"));
    app.get("/client.js", (context) => {
      context.header("content-type", "text/javascript");
      return context.body(script);
    });
    app.route("/taskcast", createTaskcastApp({ engine, auth: { mode: "jwt", jwt: { secret } } }));
    const asked: string[] = [];
    await using server = serve((request) => {
      const { pathname, searchParams } = new URL(request.url);
      const what = /\/(events|tickets)$/.exec(pathname)?.[1];
      if (what !== undefined) {
        const how = request.headers.has("authorization") ? "token" : "no token";
        asked.push(`${what} ${searchParams.has("ticket") ? "ticket" : how}`);
      }
      return app.fetch(request);
    });
    const { id } = await engine.createTask();
    const say = (delta: string) =>
      engine.publishEvent(id, {
        type: "text.delta",
        data: { delta },
        seriesId: "text",
        seriesMode: "accumulate",
      });
    await say("Once ");
    await page.addInitScript(() => {
      Object.defineProperty(Response.prototype, "body", { get: () => undefined });
    });
    await page.goto(server.url);
    const token = await new SignJWT({ taskIds: [id], scope: "event:subscribe" })
      .setProtectedHeader({ alg: "HS256" })
      .sign(new TextEncoder().encode(secret));
    const following = page.evaluate(async ([id, token]) => {
      const { TaskcastClient } = await import(`${location.origin}/client.js`);
      const client = new TaskcastClient({ baseUrl: `${location.origin}/taskcast`, token });
      const { document } = globalThis as unknown as { document: { title: string } };
      const stream = client.stream(id);
      for await (const _ of stream) document.title = stream.text("text");
      return [stream.text("text"), stream.reason];
    }, [id, token]);
    await until(async () => await page.title() === "Once", "it is shown");
    await say("upon");
    await engine.transitionTask(id, "completed");
    assert.deepEqual(await following, ["Once upon", "completed"]);
    assert.deepEqual(asked, ["tickets token", "events ticket"]);
  },
);
