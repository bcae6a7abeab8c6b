// The yardstick: a server on the same runtime and router that stores nothing, checks nothing, and
// can neither replay nor resume.
//
//   deno run -A benchmarks/baseline_server.ts [--listener node]
import { Hono } from "hono";
import { FrameHub } from "./harness/frame_hub.ts";

const app = new Hono();
const hub = new FrameHub();

app.get("/health", (context) => context.json({ status: "ok" }));
app.post("/echo", async (context) => context.json(await context.req.json(), 201));
// Parses and counts lines of JSON.
app.post("/lines", async (context) => {
  let published = 0;
  let rest = "";
  for await (const text of context.req.raw.body!.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      JSON.parse(line);
      published++;
    }
  }
  return context.json({ published }, 201);
});
app.get("/events", () => hub.open());
// The least possible work: one chunk for the whole burst, shared by all readers.
app.post("/events", async (context) => {
  const events: unknown[] = await context.req.json();
  hub.publish(events);
  return context.body(null, 204);
});
app.delete("/events", (context) => {
  hub.end();
  return context.body(null, 204);
});

const address = { port: 0, host: "127.0.0.1" };
// Loads nothing else, because an idle server is measured, too.
const { port } = Deno.args[1] === "node"
  ? await (await import("../cli/listen/node_server.ts")).listenOnNode(
    (request) => app.fetch(request),
    address,
    {
      limits: { maxConnections: Infinity, isBehindProxy: true, headersTimeoutMs: 15_000 },
      onRefused() {},
    },
  )
  : Deno.serve({ port: 0, hostname: address.host, onListen() {} }, app.fetch).addr;
console.error(`listens on http://127.0.0.1:${port}`);
