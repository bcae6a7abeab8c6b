import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
import { createTaskcastApp } from "@taskcast/server";
import { Hono } from "hono";

/** The engine of this process. */
export const engine: TaskEngine = new TaskEngine({
  broadcast: new MemoryBroadcastProvider(),
  shortTermStore: new MemoryShortTermStore(),
});

/** HTTP app with the REST API and the streams below `/taskcast`. */
export const app: Hono = new Hono().route("/taskcast", createTaskcastApp({ engine }));
