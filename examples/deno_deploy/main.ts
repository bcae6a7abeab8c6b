// Taskcast on Deno Deploy, or for anything else that serves `export default { fetch }`. Tasks are in
// Deno KV, which all isolates share, so there is no other service.
import { TaskEngine } from "@taskcast/core";
import { createDenoKvAdapters } from "@taskcast/deno-kv";
import { createTaskcastApp } from "@taskcast/server";

// On Deno Deploy that is the database of the app; elsewhere a file.
const kv = await Deno.openKv(Deno.env.get("KV_PATH"));
const { broadcast, shortTerm } = createDenoKvAdapters(kv);
const engine = new TaskEngine({ broadcast, shortTermStore: shortTerm });

const secret = Deno.env.get("TASKCAST_JWT_SECRET");
const app = createTaskcastApp({
  engine,
  // Without a secret everybody may do everything: right on your machine only.
  auth: secret === undefined ? { mode: "none" } : { mode: "jwt", jwt: { secret } },
  cors: { origin: "*" },
});

export default { fetch: app.fetch } as Deno.ServeDefaultExport;
