import assert from "node:assert/strict";
import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
import type { CorsOptions } from "@taskcast/server";
import { createTaskcastApp } from "@taskcast/server";
import { Hono } from "hono";
import { bundleClient } from "../../tools/bundle_client.ts";
import { browserTest } from "../../testing/pages/browser.ts";
import { serve } from "../../testing/network/serve.ts";
import { until } from "../../testing/sse/sse.ts";

/** Returns a page that reports to the server. */
function pageOf(taskId: string, options: string, baseUrl = ""): string {
  return `<!doctype html><title>Wake</title><script type="module">
    import { TaskcastClient } from "/client.js";
    const tell = (what) => void fetch("/reported", { method: "POST", body: what });
    addEventListener("pageshow", ({ persisted }) => tell("shown " + persisted));
    globalThis.errors = 0;
    let waits = 0;
    const client = new TaskcastClient({ baseUrl: "${baseUrl}" || location.origin + "/taskcast",
      ${options}
    });
    client.subscribe("${taskId}", {
      onEvent: ({ data }) => tell("event " + data),
      onError(error, { fatal }) {
        globalThis.errors++;
        if (fatal) tell("fatal " + error);
      },
    });
  </script>`;
}

interface Site {
  engine: TaskEngine;
  url: string;
  taskId: string;
  reported: string[];
  /** Breaks all connections. */
  cut(): void;
  [Symbol.asyncDispose](): Promise<void>;
}

async function openSite(options: string, cors?: CorsOptions): Promise<Site> {
  const engine = new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
  });
  const script = await bundleClient();
  const { id: taskId } = await engine.createTask();
  const reported: string[] = [];
  const app = new Hono();
  app.get(
    "/",
    (context) => context.html(pageOf(taskId, options, context.req.query("server"))),
  );
  app.get("/elsewhere", (context) => context.html("<!doctype html><title>Elsewhere</title>"));
  app.get("/client.js", (context) => {
    context.header("content-type", "text/javascript");
    return context.body(script);
  });
  app.post("/reported", async (context) => {
    reported.push(await context.req.text());
    return context.body(null, 204);
  });
  app.route("/taskcast", createTaskcastApp({ engine, cors }));
  let cutter = new AbortController();
  const server = serve(async (request) => {
    const response = await app.fetch(request);
    if (!request.url.endsWith("/events") || response.body === null) return response;
    const body = response.body.pipeThrough(new TransformStream(), { signal: cutter.signal });
    return new Response(body, response);
  });
  return {
    engine,
    url: server.url,
    taskId,
    reported,
    cut() {
      cutter.abort();
      cutter = new AbortController();
    },
    async [Symbol.asyncDispose]() {
      await engine.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

browserTest(
  "a page in the back/forward cache continues from its cursor when it is shown again",
  async (page) => {
    for (const options of ["", "share:true"]) {
      await using site = await openSite(options);
      const { engine, taskId, reported } = site;
      await page.goto(site.url);
      await engine.publishEvent(taskId, { type: "n", data: 1 });
      await until(() => reported.includes("event 1"), "it reads");
      await page.goto(`${site.url}/elsewhere`);
      await engine.publishEvent(taskId, { type: "n", data: 2 });
      await page.evaluate("history.back()");
      await until(() => reported.includes("event 2"), `${options}: it continues: ${reported}`);
      await until(
        () => reported.includes("shown true"),
        `${options}: it was in the back/forward cache: ${reported}`,
      );
      await until(() => engine.stats.streams === 1, "the connection of before has ended");
      assert.deepEqual(reported.filter((what) => what.startsWith("event")), ["event 1", "event 2"]);
    }
  },
);

browserTest("a page continues as soon as the network is back", async (page) => {
  // The delay after the first failure would last for days.
  await using site = await openSite("connection: { random: () => waits++ === 0 ? 1e7 : 0 }");
  const { engine, taskId, reported } = site;
  await page.goto(site.url);
  await engine.publishEvent(taskId, { type: "n", data: 1 });
  await until(() => reported.includes("event 1"), "it reads");
  await page.context().setOffline(true);
  site.cut(); // Simulating offline, this browser would keep open connections.
  const failures = () => page.evaluate(() => (globalThis as unknown as { errors: number }).errors);
  await until(async () => await failures() === 1, "the page waits for the next attempt");
  await engine.publishEvent(taskId, { type: "n", data: 2 });
  const backMs = performance.now();
  await page.context().setOffline(false);
  await until(() => reported.includes("event 2"), "it continues");
  assert(performance.now() - backMs < 5_000, "within a few seconds");
});

browserTest(
  "a client's headers reach a server of another origin if CORS allows them; otherwise the error explains CORS",
  async (page) => {
    const options = 'headers: { "x-tenant": "a" }, connection: { minDelayMs: 1, maxDelayMs: 2 }';
    await using strict = await openSite(options, { origin: "*" });
    await using open = await openSite(options, { origin: "*", allowedHeaders: ["X-Tenant"] });
    const from = (page: Site, server: Site) => `${page.url}/?server=${server.url}/taskcast`;
    // Each serves the page of the other, whose task is another one with the same id.
    for (const [site, other] of [[strict, open], [open, strict]] as const) {
      await other.engine.createTask({ id: site.taskId });
      await other.engine.publishEvent(site.taskId, { type: "n", data: 1 });
      await page.goto(from(site, other));
      await until(() => site.reported.length > 1, "the page reports its outcome");
      const [, outcome] = site.reported;
      if (other === open) assert.equal(outcome, "event 1");
      else {
        assert.match(outcome!, /^fatal UnreachableError: The browser does not let this page read/);
        assert(outcome!.includes(`cors.origin must name ${site.url}, and cors.allowedHeaders all`));
      }
    }
  },
);
