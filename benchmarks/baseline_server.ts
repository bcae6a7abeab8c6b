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
// One chunk for all readers, made once, and again for each event of the body.
app.post("/events", async (context) => {
  const events: unknown[] = await context.req.json();
  for (const event of events) {
    const frame = encoder.encode(`event: taskcast.event\ndata: ${JSON.stringify(event)}\n\n`);
    for (const reader of readers) reader.enqueue(frame);
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
