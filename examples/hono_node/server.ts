import { serve } from "@hono/node-server";
import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
import { createTaskcastApp } from "@taskcast/server";
import { Hono } from "hono";
import process from "node:process";

const engine = new TaskEngine({
  broadcast: new MemoryBroadcastProvider(),
  shortTermStore: new MemoryShortTermStore(),
});

/** Does the work of a task, and ends the task in any case. */
async function count(taskId: string): Promise<void> {
  try {
    await engine.transitionTask(taskId, "running");
    for (const delta of ["one ", "two ", "three"]) {
      await engine.publishEvent(taskId, {
        type: "count",
        data: { delta },
        seriesId: "text",
        seriesMode: "accumulate",
      });
    }
    await engine.transitionTask(taskId, "completed");
  } catch (error) {
    const message = String(error);
    await engine.transitionTask(taskId, "failed", { error: { message } }).catch(console.error);
  }
}

const app = new Hono();
app.post("/start", async (context) => {
  const task = await engine.createTask({ type: "demo", ttl: 600 });
  void count(task.id); // Not awaited: the work continues after this request.
  return context.json({ taskId: task.id }, 202);
});
app.route("/taskcast", createTaskcastApp({ engine }));

const server = serve({
  fetch: app.fetch,
  port: Number(process.env.PORT ?? 8000),
  serverOptions: { requestTimeout: 0 }, // A producer's request may last as long as its task.
});

process.once("SIGTERM", async () => {
  await engine.close(); // Ends the streams, and their readers reconnect to the next process.
  server.close();
});
