import { TaskEngine } from "@taskcast/core";
import { createSqliteAdapters } from "@taskcast/sqlite";
import { freePort } from "./free_port.ts";

/** A server whose tasks are in a file, so that it can go and come back. */
export interface RestartingServer {
  url: string;
  /** That of the server that runs now. */
  readonly engine: TaskEngine;
  /** Ends the server and cuts all its connections. */
  stop(): Promise<void>;
  /** Another process would do no more: a new engine on the same file and port. */
  start(): void;
  [Symbol.asyncDispose](): Promise<void>;
}

export function restartingServer(
  path: string,
  appOf: (engine: TaskEngine) => { fetch(request: Request): Response | Promise<Response> },
): RestartingServer {
  const port = freePort();
  let running: { engine: TaskEngine; stop(): Promise<void> } | undefined;
  function start(): void {
    const { broadcast, shortTerm } = createSqliteAdapters({ path });
    const engine = new TaskEngine({ broadcast, shortTermStore: shortTerm });
    const app = appOf(engine);
    const controller = new AbortController();
    const server = Deno.serve(
      { port, hostname: "127.0.0.1", signal: controller.signal, onListen() {} },
      (request) => app.fetch(request),
    );
    running = {
      engine,
      async stop() {
        controller.abort();
        await server.finished;
        await engine.close();
      },
    };
  }
  async function stop() {
    await running?.stop();
    running = undefined;
  }
  start();
  return {
    url: `http://127.0.0.1:${port}`,
    get engine() {
      return running!.engine;
    },
    stop,
    start,
    [Symbol.asyncDispose]: stop,
  };
}
