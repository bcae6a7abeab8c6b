import type { EngineOptions, HistoryOptions, TaskEngine } from "@taskcast/core";
import { TaskcastHttpError } from "@taskcast/client/http";
import { TaskcastServerClient } from "@taskcast/server-sdk";
import type { TaskcastAppOptions } from "@taskcast/server";
import { ELSEWHERE, startCli } from "./cli.ts";
import { reading } from "../sse/reading.ts";
import { call, startServer } from "./test_server.ts";
import type { TestServer } from "./test_server.ts";

/** Methods of an engine that exist over the network, too. */
export type ReachableEngine =
  & Pick<
    TaskEngine,
    | "createTask"
    | "getTask"
    | "transitionTask"
    | "deleteTask"
    | "publishEvent"
    | "publishEvents"
    | "getEvents"
  >
  & {
    listTasks(): ReturnType<TaskEngine["listTasks"]>;
  };

/** A server of which nothing is known but its address. */
export interface AnyServer extends Pick<TestServer, "url" | "call" | "reading"> {
  engine: ReachableEngine;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Options of such a server: those of a configuration file. */
export interface AnyServerOptions {
  app?: Pick<TaskcastAppOptions, "auth" | "trustedServices" | "cors" | "maxBodyBytes">;
  engine?: Partial<EngineOptions>;
}

/** Lets the tests do everything, whatever the authentication is. */
const SERVICE_KEY = "the key that only these tests have";
const AS_TESTS = { "x-taskcast-service-key": SERVICE_KEY };

/**
 * Starts a server for tests that speak to it as everybody does. It is in this process, or, when
 * `TASKCAST_TEST_COMMAND` names a command, it is what that starts.
 */
export async function startAnyServer(
  { app = {}, engine = {} }: AnyServerOptions = {},
): Promise<AnyServer> {
  const trustedServices = { ...app.trustedServices, tests: SERVICE_KEY };
  if (!ELSEWHERE) {
    const server = startServer({ engine: { options: engine }, app: { ...app, trustedServices } });
    return { ...server, reading: () => reading(server.url, AS_TESTS) };
  }
  const { maxBodyBytes, ...rest } = app;
  const config = { ...rest, trustedServices, limits: { maxBodyBytes }, engine };
  const file = await Deno.makeTempFile({ suffix: ".json" });
  await Deno.writeTextFile(file, JSON.stringify(config));
  const server = await startCli(["--config", file, "--host", "127.0.0.1"]);
  return {
    url: server.url,
    call: call(server.url),
    engine: engineAt(server.url),
    reading: () => reading(server.url, AS_TESTS),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await Deno.remove(file);
    },
  };
}

function engineAt(baseUrl: string): ReachableEngine {
  const client = new TaskcastServerClient({ baseUrl, serviceKey: SERVICE_KEY });
  return {
    createTask: (input) => client.createTask(input),
    getTask: (id) =>
      client.getTask(id).catch((error) => {
        if (error instanceof TaskcastHttpError && error.code === "TASK_NOT_FOUND") return undefined;
        throw error;
      }),
    listTasks: () => client.listTasks(),
    transitionTask: (id, status, options) => client.transitionTask(id, status, options),
    deleteTask: (id) => client.deleteTask(id),
    publishEvent: (id, event) => client.publishEvent(id, event),
    publishEvents: (id, events) => client.publishEvents(id, events),
    async getEvents(id: string, options?: HistoryOptions) {
      const { events } = await client.getHistory(id, options);
      return { events } as Awaited<ReturnType<ReachableEngine["getEvents"]>>;
    },
  };
}
