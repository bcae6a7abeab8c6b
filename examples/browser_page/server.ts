// A page that follows a task with one script file, and a server that writes a text for it.
//
//   deno run -A examples/browser_page/server.ts
import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
import { createTaskcastApp } from "@taskcast/server";
import { Hono } from "hono";
import { bundleClient } from "../../tools/bundle_client.ts";

const TEXT = "Close this tab, open it again, or open it twice: it always shows the whole text.";

/**
 * Creates the routes of the page, with Taskcast under `/taskcast`.
 *
 * @param clientScript Contents of `dist/taskcast-client.min.js` of the npm package.
 * @param pauseMs Milliseconds between two words.
 */
export function createPage(engine: TaskEngine, clientScript: string, pauseMs = 200): Hono {
  const app = new Hono();
  const page = Deno.readTextFileSync(new URL("./page.html", import.meta.url));
  app.get("/", (context) => context.html(page));
  app.get("/taskcast-client.min.js", (context) => {
    context.header("content-type", "text/javascript; charset=utf-8");
    return context.body(clientScript);
  });
  app.post("/write", async (context) => {
    const task = await engine.createTask({ type: "text", ttl: 600 });
    void write(engine, task.id, pauseMs).catch(console.error); // Not awaited.
    return context.json({ taskId: task.id }, 202);
  });
  return app.route("/taskcast", createTaskcastApp({ engine }));
}

async function write(engine: TaskEngine, taskId: string, pauseMs: number): Promise<void> {
  await engine.transitionTask(taskId, "running");
  for (const delta of TEXT.match(/\S+\s*/g)!) {
    await engine.publishEvent(taskId, {
      type: "text.delta",
      data: { delta },
      seriesId: "text",
      seriesMode: "accumulate",
    });
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  await engine.transitionTask(taskId, "completed");
}

if (import.meta.main) {
  const engine = new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
  });
  const page = createPage(engine, await bundleClient());
  Deno.serve({ port: Number(Deno.env.get("PORT") ?? 8000) }, page.fetch);
}
