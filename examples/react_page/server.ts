// Serves a page in React that follows a task, and does the task's work.
//
//   deno run -A examples/react_page/server.ts
import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
import { createTaskcastApp } from "@taskcast/server";
import { Hono } from "hono";

/** Does the work of a task and ends the task. */
export type Work = (engine: TaskEngine, taskId: string) => Promise<void>;

/** Creates the routes of the page, with Taskcast under `/taskcast`. */
export function createPage(engine: TaskEngine, script: string, work: Work): Hono {
  const app = new Hono();
  const page = Deno.readTextFileSync(new URL("./index.html", import.meta.url));
  app.get("/", (context) => context.html(page));
  app.get("/app.js", (context) => context.body(script, 200, { "content-type": "text/javascript" }));

  app.post("/start", async (context) => {
    const task = await engine.createTask({ type: "demo", ttl: 600 });
    // Not awaited: the work continues after this request. It fails if the task was stopped.
    void work(engine, task.id).catch((error) => console.error(`${task.id}:`, error));
    return context.json({ taskId: task.id }, 202);
  });

  return app.route("/taskcast", createTaskcastApp({ engine }));
}

/** Bundles the page's script into one file. Any bundler will do. */
export async function bundle(): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--platform", "browser", "--minify", "app.tsx"],
    cwd: new URL(".", import.meta.url),
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

/** Streams a text in a hundred parts. */
async function countSheep(engine: TaskEngine, taskId: string): Promise<void> {
  await engine.transitionTask(taskId, "running");
  await engine.publishEvent(taskId, { type: "tool.call", data: "looked for sheep" });
  for (let sheep = 1; sheep <= 100; sheep++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    await engine.publishEvent(taskId, {
      type: "llm.delta",
      data: { delta: `${sheep} sheep, ` },
      seriesId: "answer",
      seriesMode: "accumulate",
    });
  }
  await engine.transitionTask(taskId, "completed");
}

if (import.meta.main) {
  const engine = new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
  });
  const page = createPage(engine, await bundle(), countSheep);
  Deno.serve({ port: Number(Deno.env.get("PORT") ?? 8000) }, page.fetch);
}
