import type { EngineOptions, HistoryOptions, TaskEngine } from "@taskcast/core";
import { TaskcastHttpError } from "@taskcast/client/http";
import { TaskcastServerClient } from "@taskcast/server-sdk";
import type { TaskcastAppOptions } from "@taskcast/server";
import { freePort } from "../network/free_port.ts";
import { until } from "../sse/sse.ts";
import { COMMAND, ELSEWHERE, startCli } from "./cli.ts";
import { reading } from "../sse/reading.ts";
import { call, startServer } from "./test_server.ts";
import type { TestServer } from "./test_server.ts";

/** Methods of an engine that are also available over the network. */
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

/** A server of which only the address is known. */
export interface AnyServer extends Pick<TestServer, "url" | "call" | "reading"> {
  engine: ReachableEngine;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Options of such a server: those of a configuration file. */
export interface AnyServerOptions {
  app?: Pick<TaskcastAppOptions, "auth" | "trustedServices" | "cors" | "maxBodyBytes">;
  engine?: Partial<EngineOptions>;
}

/** Gives the tests full access with every authentication. */
const SERVICE_KEY = "the key that only these tests have";
const AS_TESTS = { "x-taskcast-service-key": SERVICE_KEY };

/**
 * Starts a server for tests that use only its public API. It runs in this process, or, if
 * `TASKCAST_TEST_COMMAND` names a command, in the process that this command starts.
 */
export async function startAnyServer(
  { app = {}, engine = {} }: AnyServerOptions = {},
): Promise<AnyServer> {
  const trustedServices = { ...app.trustedServices, tests: SERVICE_KEY };
  if (!ELSEWHERE) {
    const server = startServer({ engine: { options: engine }, app: { ...app, trustedServices } });
    return { ...server, reading: () => reading(server.url, AS_TESTS) };
  }
  if (Object.keys(app).length + Object.keys(engine).length === 0) return lent(usual!);
  const { maxBodyBytes, ...rest } = app;
  const file = await writeConfig({ ...rest, trustedServices, limits: { maxBodyBytes }, engine });
  const server = await startCli(["--config", file, "--host", "127.0.0.1"]);
  return {
    ...speakingTo(server.url),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await Deno.remove(file);
    },
  };
}

async function writeConfig(config: object): Promise<string> {
  const file = await Deno.makeTempFile({ suffix: ".json" });
  await Deno.writeTextFile(file, JSON.stringify(config));
  return file;
}

function speakingTo(url: string): Omit<AnyServer, typeof Symbol.asyncDispose> {
  return { url, call: call(url), engine: engineAt(url), reading: () => reading(url, AS_TESTS) };
}

/**
 * Starts a server that all tests of a file share, which saves a process for each of them. It is
 * started before the first test, which could not leave it open.
 */
async function startUsual(): Promise<string> {
  const file = await writeConfig({ trustedServices: { tests: SERVICE_KEY } });
  const port = freePort();
  const [program, ...words] = COMMAND;
  const child = new Deno.Command(program, {
    args: [...words, "--config", file, "--host", "127.0.0.1"],
    env: { TASKCAST_PORT: `${port}` },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  child.unref();
  globalThis.addEventListener("unload", () => {
    child.kill("SIGKILL");
    Deno.removeSync(file);
  });
  const url = `http://127.0.0.1:${port}`;
  await until(async () => {
    const response = await fetch(`${url}/health`).catch(() => undefined);
    await response?.body?.cancel();
    return response?.ok ?? false;
  }, "the server of this file answers");
  return url;
}

/** Lends the file's server to one test. Afterwards it has no tasks. */
function lent(url: string): AnyServer {
  const server = speakingTo(url);
  return {
    ...server,
    async [Symbol.asyncDispose]() {
      for (;;) {
        const { tasks } = await server.engine.listTasks();
        if (tasks.length === 0) return;
        for (const { id } of tasks) await server.engine.deleteTask(id);
      }
    },
  };
}

const usual = ELSEWHERE ? await startUsual() : undefined;

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
