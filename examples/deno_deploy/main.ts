// An entry for Deno Deploy, or for anything else that serves `export default { fetch }`:
//   deno serve -A examples/deno_deploy/main.ts
// One isolate keeps its tasks in its own memory, which is right for a preview. As soon as more than
// one isolate runs, give the engine a store and a broadcast layer that they share.
import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
import { createTaskcastApp } from "@taskcast/server";

const engine = new TaskEngine({
  broadcast: new MemoryBroadcastProvider(),
  shortTermStore: new MemoryShortTermStore({ maxBytes: 64 * 1024 * 1024 }),
});

const secret = Deno.env.get("TASKCAST_JWT_SECRET");
const app = createTaskcastApp({
  engine,
  auth: secret === undefined ? { mode: "none" } : { mode: "jwt", jwt: { secret } },
  cors: { origin: "*" },
});

export default { fetch: app.fetch } as Deno.ServeDefaultExport;
