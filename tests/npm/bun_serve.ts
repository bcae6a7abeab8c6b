// Serves Taskcast in `Bun.serve`: as a default export, which is given Bun's server, or through a
// function of one's own that leaves it out. Idle timeouts are as short as they can be.
import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
import { createTaskcastApp } from "@taskcast/server";
import { Hono } from "hono";
import process from "node:process";

const givesServer = process.env.GIVES_SERVER === "yes";
const engine = new TaskEngine({
  broadcast: new MemoryBroadcastProvider(),
  shortTermStore: new MemoryShortTermStore(),
  // Of the idle timeout as much as it is by default.
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
  // Bun counts in steps of four seconds, of which the first one is over at any moment: with less than
  // five it also closes what is not quiet.
  idleTimeout: givesServer ? 1 : 5,
  fetch: givesServer ? app.fetch : (request) => app.fetch(request),
};

export default served;
