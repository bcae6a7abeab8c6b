// Taskcast on Deno Deploy, or on any runtime that serves `export default { fetch }`. Tasks are in
// Deno KV, which all isolates share, so no other service is needed.
import { TaskEngine } from "@taskcast/core";
import { createDenoKvAdapters } from "@taskcast/deno-kv";
import { createTaskcastApp } from "@taskcast/server";

// The database of the app on Deno Deploy, and a file elsewhere.
const kv = await Deno.openKv(Deno.env.get("KV_PATH"));
const { broadcast, shortTerm } = createDenoKvAdapters(kv);
const engine = new TaskEngine({ broadcast, shortTermStore: shortTerm });

const secret = Deno.env.get("TASKCAST_JWT_SECRET");
const app = createTaskcastApp({
  engine,
  // Without a secret every caller may do everything, which is safe only on your machine.
  auth: secret === undefined ? { mode: "none" } : { mode: "jwt", jwt: { secret } },
  cors: { origin: "*" },
});

export default { fetch: app.fetch } as Deno.ServeDefaultExport;
