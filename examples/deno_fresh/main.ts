// The same routes without Fresh.
import { handler as start } from "./routes/start.ts";
import { handler as taskcast } from "./routes/taskcast/[...path].ts";

const page = await Deno.readTextFile(new URL("./page.html", import.meta.url));

Deno.serve({ port: Number(Deno.env.get("PORT") ?? 8000) }, (req) => {
  const { pathname } = new URL(req.url);
  if (pathname.startsWith("/taskcast/")) return taskcast({ req });
  if (pathname === "/start" && req.method === "POST") return start.POST();
  if (pathname === "/") return new Response(page, { headers: { "content-type": "text/html" } });
  return new Response("Not found", { status: 404 });
});
