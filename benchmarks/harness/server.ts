import { cpuMs, rssBytes } from "./processes.ts";
import type { WatchedProcess } from "./processes.ts";

/** A server under load. */
export interface Server extends WatchedProcess {
  url: string;
  /** Milliseconds from the start of the process to the first answer. */
  startMs?: number;
  /** Address of its inspector, if requested. */
  inspectorUrl?: string;
  [Symbol.asyncDispose](): Promise<void>;
}

const ROOT = new URL("../../", import.meta.url);

interface StartOptions {
  /** Arguments of `deno run` itself. */
  runtimeArgs?: readonly string[];
  /** Starts the inspector. */
  inspect?: boolean;
  /** Checkout to start the server from, to compare versions. */
  root?: string | URL;
}

/** Starts a program of this repository and waits until it answers. */
async function startServer(
  file: string,
  args: readonly string[],
  { runtimeArgs = [], inspect = false, root = ROOT }: StartOptions = {},
): Promise<Server> {
  const startedMs = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      // `--quiet` would hide the address of the inspector.
      ...inspect ? ["--inspect=127.0.0.1:0"] : ["--quiet"],
      ...runtimeArgs,
      file,
      ...args,
    ],
    cwd: root,
    env: {
      NO_COLOR: "1",
      TASKCAST_LOG_FORMAT: "pretty",
      TASKCAST_PORT: "0",
      TASKCAST_HOST: "127.0.0.1",
    },
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const lines = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  let url: string | undefined;
  while (url === undefined) {
    const { value, done } = await lines.read();
    if (done) throw new Error(`${file} did not start: ${text}`);
    url = /listens on (http:\S+)/.exec(text += value)?.[1];
  }
  void (async () => {
    while (!(await lines.read()).done); // Keeps the pipe from filling up.
  })();
  await (await fetch(`${url}/health`)).body?.cancel();
  return {
    url,
    startMs: performance.now() - startedMs,
    inspectorUrl: /listening on (ws:\S+)/.exec(text)?.[1],
    rss: () => rssBytes(child.pid),
    cpuMs: () => cpuMs(child.pid),
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.status;
    },
  };
}

/**
 * Starts the server of this repository.
 *
 * @param options.profileFolder Folder for a CPU profile, which is written when the server ends.
 */
export function startTaskcast(
  args: readonly string[] = [],
  { profileFolder, ...options }: Omit<StartOptions, "runtimeArgs"> & { profileFolder?: string } =
    {},
): Promise<Server> {
  const runtimeArgs = profileFolder === undefined
    ? []
    : ["--cpu-prof", `--cpu-prof-dir=${profileFolder}`];
  return startServer("cli/mod.ts", ["start", "--log-level", "error", ...args], {
    runtimeArgs,
    ...options,
  });
}

/** The HTTP servers of Deno. */
export type Listener = "deno" | "node";

/** Bare server: the same runtime and router without Taskcast. */
export function startBare(listener: Listener = "deno"): Promise<Server> {
  return startServer("benchmarks/baseline_server.ts", ["--listener", listener]);
}

/** Returns a server that runs elsewhere. */
export function remoteServer(url: string): Server {
  return {
    url: url.replace(/\/+$/, ""),
    rss: () => Promise.resolve(undefined),
    cpuMs: () => Promise.resolve(undefined),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
