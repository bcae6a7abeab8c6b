// One server for `main.ts`, which says what and how it serves: `server.ts bare|taskcast deno|node`.
// `/gc` collects garbage, if the process may, and tells what the heap has.
import process from "node:process";
import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
import { createTaskcastApp } from "@taskcast/server";
import type { Handle } from "../../cli/listen.ts";

const [kind, listener] = process.argv.slice(2);
const handle = kind === "bare" ? bare : taskcast();
const listen = listener === "deno"
  ? (await import("../../cli/listen_deno.ts")).listenOnDeno
  : (await import("../../cli/listen_node.ts")).listenOnNode;
const { port } = await listen((request, info) => {
  if (request.url.endsWith("/gc")) {
    (globalThis as { gc?: () => void }).gc?.();
    return Response.json(process.memoryUsage());
  }
  return handle(request, info);
}, { port: 0, host: "127.0.0.1" });
console.error(`listens on http://127.0.0.1:${port}`);

/** A stream with one chunk that is pulled, and nothing else. */
function bare(): Response {
  let first: Uint8Array | undefined = new TextEncoder().encode("retry: 1000\n\n");
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (first === undefined) return new Promise(() => {});
      controller.enqueue(first);
      first = undefined;
    },
  }, { highWaterMark: 0 });
  return new Response(body, {
    headers: {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store, no-transform",
      "x-accel-buffering": "no",
    },
  });
}

function taskcast(): Handle {
  const engine = new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
    options: { sweepMs: 0 },
  });
  const app = createTaskcastApp({ engine });
  return (request, info) => app.fetch(request, info);
}
