// What the same runtime and router do without Taskcast: the yardstick that each run brings along.
// It stores nothing, checks nothing, and can neither replay nor resume.
import { Hono } from "hono";

const readers = new Set<ReadableStreamDefaultController<Uint8Array>>();
const encoder = new TextEncoder();
const app = new Hono();

app.get("/health", (context) => context.json({ status: "ok" }));
app.post("/echo", async (context) => context.json(await context.req.json(), 201));
app.get("/events", () => {
  let own: ReadableStreamDefaultController<Uint8Array>;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => void readers.add(own = controller),
    cancel: () => void readers.delete(own),
  });
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
});
// As simple servers do it, a chunk for each event; or as well as it can be done at all, one chunk for
// the whole burst. Either is made once and shared by all readers.
app.post("/events", async (context) => {
  const events: unknown[] = await context.req.json();
  const frames = events.map((event) => `event: taskcast.event\ndata: ${JSON.stringify(event)}\n\n`);
  const chunks = context.req.query("each") === undefined ? [frames.join("")] : frames;
  for (const chunk of chunks.map((text) => encoder.encode(text))) {
    for (const reader of readers) reader.enqueue(chunk);
  }
  return context.body(null, 204);
});
app.delete("/events", (context) => {
  for (const reader of readers) reader.close();
  readers.clear();
  return context.body(null, 204);
});

const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, app.fetch);
console.error(`listens on http://127.0.0.1:${server.addr.port}`);
