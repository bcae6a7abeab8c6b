import { TaskEngine } from "@taskcast/core";
import { createSqliteAdapters } from "@taskcast/sqlite";
import { freePort } from "../network/free_port.ts";

/** A server whose tasks are in a file, so that it can restart. */
export interface RestartingServer {
  url: string;
  /** The engine of the current server. */
  readonly engine: TaskEngine;
  /** Breaks all connections. */
  cut(): Promise<void>;
  /** Restarts as a new process would: a new engine on the same file. */
  restart(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

type AppOf = (engine: TaskEngine) => { fetch(request: Request): Response | Promise<Response> };

/** Serves an engine on a SQLite file, always on the same port. */
export function restartingServer(path: string, appOf: AppOf): RestartingServer {
  const port = freePort();
  let engine = openEngine(path);
  let stopListening = listen(port, engine, appOf);
  return {
    url: `http://127.0.0.1:${port}`,
    get engine() {
      return engine;
    },
    async cut() {
      await stopListening();
      stopListening = listen(port, engine, appOf);
    },
    async restart() {
      await stopListening();
      await engine.close();
      engine = openEngine(path);
      stopListening = listen(port, engine, appOf);
    },
    async [Symbol.asyncDispose]() {
      await stopListening();
      await engine.close();
    },
  };
}

function openEngine(path: string): TaskEngine {
  const { broadcast, shortTerm } = createSqliteAdapters({ path });
  return new TaskEngine({ broadcast, shortTermStore: shortTerm });
}

/** Listens. @returns A function that stops, with every connection. */
function listen(port: number, engine: TaskEngine, appOf: AppOf): () => Promise<void> {
  const app = appOf(engine);
  const stop = new AbortController();
  const server = Deno.serve(
    { port, hostname: "127.0.0.1", signal: stop.signal, onListen() {} },
    (request) => app.fetch(request),
  );
  return async () => {
    stop.abort();
    await server.finished;
  };
}
