// A chat back end. It requests answers from an OpenAI-compatible endpoint and streams each into a
// task, so that an answer survives a reload, a lost network and a second window.
//
//   OPENAI_API_KEY=… deno run -A examples/chat/server.ts
//   OPENAI_BASE_URL=http://localhost:11434/v1 OPENAI_MODEL=llama3 deno run -A examples/chat/server.ts
import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
import { createTaskcastApp } from "@taskcast/server";
import { Hono } from "hono";
import type { ChatSettings } from "./answer.ts";
import { answer } from "./answer.ts";

/** Creates the routes of the chat, with Taskcast under `/taskcast`. */
export function createChat(engine: TaskEngine, settings: ChatSettings): Hono {
  const app = new Hono();
  const page = Deno.readTextFileSync(new URL("./page.html", import.meta.url));
  app.get("/", (context) => context.html(page));

  app.post("/chat", async (context) => {
    const { prompt } = await context.req.json<{ prompt: string }>();
    const task = await engine.createTask({ type: "llm.chat", params: { prompt }, ttl: 600 });
    // Not awaited: the answer continues after this request. It ends the task in any case.
    void answer(engine, task.id, prompt, settings);
    return context.json({ taskId: task.id }, 202);
  });

  return app.route("/taskcast", createTaskcastApp({ engine }));
}

if (import.meta.main) {
  const engine = new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
  });
  const settings = {
    baseUrl: Deno.env.get("OPENAI_BASE_URL") ?? "https://api.openai.com/v1",
    apiKey: Deno.env.get("OPENAI_API_KEY"),
    model: Deno.env.get("OPENAI_MODEL") ?? "gpt-4o-mini",
  };
  Deno.serve(
    { port: Number(Deno.env.get("PORT") ?? 8000) },
    createChat(engine, settings).fetch,
  );
}
