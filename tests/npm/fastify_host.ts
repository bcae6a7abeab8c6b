// Serves Taskcast in Fastify with the code of the deployment guide, beside a route of its own.
import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
import { createTaskcastApp } from "@taskcast/server";
import { Hono } from "hono";
import process from "node:process";

const file = "./fastify.js";
const { listenWithFastify } = await import(file);
const engine = new TaskEngine({
  broadcast: new MemoryBroadcastProvider(),
  shortTermStore: new MemoryShortTermStore(),
});
const app = new Hono().route("/taskcast", createTaskcastApp({ engine }));
await listenWithFastify(app, Number(process.env.PORT));
