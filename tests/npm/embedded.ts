// Serves the guide's embedded example on Node, uses it, and prints the result.
import { serve } from "@hono/node-server";
import { SignJWT } from "jose";
import process from "node:process";
import type { AddressInfo } from "node:net";

const file = "./guide.js";
const { default: app } = await import(file);
const server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" });
await new Promise((resolve) => server.once("listening", resolve));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/taskcast`;
const token = await new SignJWT({ taskIds: "*", scope: ["*"] })
  .setProtectedHeader({ alg: "HS256" }).sign(new TextEncoder().encode(process.env.JWT_SECRET));

async function call(method: string, path: string, body?: unknown): Promise<Response> {
  return await fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
}

const { id } = await (await call("POST", "/tasks", { type: "llm.chat" })).json();
for (const delta of ["Hel", "lo"]) {
  const event = { type: "llm.delta", data: { delta }, seriesId: "s", seriesMode: "accumulate" };
  await call("POST", `/tasks/${id}/events`, event);
}
await call("PATCH", `/tasks/${id}/status`, { status: "completed" });
const ready = await (await call("GET", "/health/ready")).json();
console.log(JSON.stringify({
  withoutToken: (await fetch(`${url}/tasks`)).status,
  stream: await (await call("GET", `/tasks/${id}/events`)).text(),
  archive: ready.dependencies.longTermStore.ok,
}));
process.exit(0); // The guide closes nothing.
