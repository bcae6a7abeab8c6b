// Taskcast in a Durable Object, as workerd runs it. The object holds the engine: a plain Worker may
// not wake a reader of one request from another.
import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
import { createTaskcastApp } from "@taskcast/server";
import { Hono } from "hono";

/** The bindings of workerd's configuration, as far as they are used. */
interface Bindings {
  TASKS: {
    idFromName(name: string): unknown;
    get(id: unknown): { fetch(request: Request): Promise<Response> };
  };
}

/** The object: one engine with its app. */
export class Tasks {
  readonly #app: Hono;

  constructor() {
    const engine = new TaskEngine({
      broadcast: new MemoryBroadcastProvider(),
      shortTermStore: new MemoryShortTermStore(),
    });
    this.#app = new Hono().route("/taskcast", createTaskcastApp({ engine }));
  }

  /** Answers a request. */
  async fetch(request: Request): Promise<Response> {
    return await this.#app.fetch(request);
  }
}

const worker: { fetch(request: Request, bindings: Bindings): Promise<Response> } = {
  fetch: (request, { TASKS }) => TASKS.get(TASKS.idFromName("all")).fetch(request),
};
export default worker;
