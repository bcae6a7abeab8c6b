// Serves Taskcast in `Bun.serve`: as a default export, which gets Bun's server, or through a custom
// function that leaves it out. Idle timeouts are as short as possible.
import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
import { createTaskcastApp } from "@taskcast/server";
import { Hono } from "hono";
import process from "node:process";

const givesServer = process.env.GIVES_SERVER === "yes";
const engine = new TaskEngine({
  broadcast: new MemoryBroadcastProvider(),
  shortTermStore: new MemoryShortTermStore(),
  // The same share of the idle timeout as by default.
  options: givesServer ? {} : { heartbeatMs: 2_500 },
});
const app = new Hono().route("/taskcast", createTaskcastApp({ engine }));

interface BunOptions {
  port: number;
  idleTimeout: number;
  fetch: Hono["fetch"];
}

const served: BunOptions = {
  port: Number(process.env.PORT),
  // Bun counts in steps of four seconds, the first of which may end at any moment: with less than
  // five seconds, it closes connections that are not idle.
  idleTimeout: givesServer ? 1 : 5,
  fetch: givesServer ? app.fetch : (request) => app.fetch(request),
};

export default served;
