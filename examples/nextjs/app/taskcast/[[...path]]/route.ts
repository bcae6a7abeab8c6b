import { createTaskcastApp } from "@taskcast/server";
import { Hono } from "hono";
import { engine } from "../../../engine";

const app = new Hono().route("/taskcast", createTaskcastApp({ engine }));

function handle(request: Request): Response | Promise<Response> {
  return app.fetch(request);
}

export { handle as DELETE, handle as GET, handle as OPTIONS, handle as PATCH, handle as POST };
