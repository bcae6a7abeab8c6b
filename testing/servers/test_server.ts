import type { TaskEngineOptions } from "@taskcast/core";
import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
import type { TaskcastAppOptions } from "@taskcast/server";
import { createTaskcastApp } from "@taskcast/server";
import { type Reading, reading } from "../sse/reading.ts";

/** A server on a free port of loopback, with access to its engine. */
export interface TestServer {
  url: string;
  engine: TaskEngine;
  /** Sends JSON and reads JSON. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<
    // deno-lint-ignore no-explicit-any
    { status: number; headers: Headers; body: any }
  >;
  /** Returns its metrics about readers. */
  reading(): Promise<Reading>;
  [Symbol.asyncDispose](): Promise<void>;
}

export function startServer(
  { engine: engineOptions = {}, app: appOptions = {} }: {
    engine?: Partial<TaskEngineOptions>;
    app?: Partial<TaskcastAppOptions>;
  } = {},
): TestServer {
  const engine = new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
    ...engineOptions,
  });
  const app = createTaskcastApp({ engine, ...appOptions });
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    (request) => app.fetch(request),
  );
  const url = `http://127.0.0.1:${server.addr.port}`;
  return {
    url,
    engine,
    call: call(url),
    reading: () => reading(url),
    async [Symbol.asyncDispose]() {
      await engine.close();
      await server.shutdown();
    },
  };
}

/** Sends JSON to a server and reads JSON. */
export function call(url: string): TestServer["call"] {
  return async (method, path, body, headers = {}) => {
    const response = await fetch(url + path, {
      method,
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      body: body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text === "" ? undefined : JSON.parse(text),
    };
  };
}
