// A chat with Vercel's AI SDK whose answers survive a reload, a lost network and a second window.
//
//   AI_GATEWAY_API_KEY=… deno run -A examples/ai_chat/server.ts
import { TaskcastChat } from "@taskcast/ai";
import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
import type { LanguageModel, UIMessage } from "ai";
import { convertToModelMessages, generateId, streamText } from "ai";
import { Hono } from "hono";

/** Creates the routes of the page and of the chat. */
export function createPage(engine: TaskEngine, script: string, model: LanguageModel): Hono {
  const app = new Hono();
  const page = Deno.readTextFileSync(new URL("./index.html", import.meta.url));
  app.get("/", (context) => context.html(page));
  app.get("/app.js", (context) => context.body(script, 200, { "content-type": "text/javascript" }));

  /** Messages by chat. Use a database in your own application. */
  const chats = new Map<string, UIMessage[]>();
  app.get("/chats/:id", (context) => context.json(chats.get(context.req.param("id")) ?? []));

  const chat = new TaskcastChat({ engine });
  const routes = chat.routes({
    allows: () => true, // Anyone with the chat's id has access. Check the caller in your application.
    answer: async ({ id, body, signal }) => {
      const messages: UIMessage[] = body.messages;
      chats.set(id, messages);
      const result = streamText({
        model,
        messages: await convertToModelMessages(messages),
        abortSignal: signal, // Aborts when the answer is stopped.
      });
      return result.toUIMessageStream({
        originalMessages: messages,
        generateMessageId: generateId, // Gives the answer the same id on all devices.
        onFinish: ({ messages }) => void chats.set(id, messages),
      });
    },
  });
  return app.all("/api/chat/*", routes);
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

if (import.meta.main) {
  const engine = new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
  });
  const model = Deno.env.get("AI_MODEL") ?? "openai/gpt-5-mini";
  const page = createPage(engine, await bundle(), model);
  Deno.serve({ port: Number(Deno.env.get("PORT") ?? 8000) }, page.fetch);
}
