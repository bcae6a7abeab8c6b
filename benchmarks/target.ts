/** A server under load. */
export interface Target {
  url: string;
  /** Milliseconds from the start of the process to the first answer. */
  startMs?: number;
  /** Bytes of memory that its process has, where that can be known. */
  rss(): Promise<number | undefined>;
  [Symbol.asyncDispose](): Promise<void>;
}

const ROOT = new URL("../", import.meta.url);

/** Starts a server of this repository and waits until it answers. */
export async function startTarget(file: string, args: string[] = []): Promise<Target> {
  const startedMs = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--quiet", file, ...args],
    cwd: ROOT,
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
    while (!(await lines.read()).done); // So that it never waits for its messages to be read.
  })();
  await (await fetch(`${url}/health`)).body?.cancel();
  return {
    url,
    startMs: performance.now() - startedMs,
    rss: () => rssOf(child.pid),
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await child.status;
    },
  };
}

/** Any server of the same API. */
export function remoteTarget(url: string): Target {
  return {
    url: url.replace(/\/+$/, ""),
    rss: () => Promise.resolve(undefined),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function rssOf(pid: number): Promise<number | undefined> {
  try {
    const status = await Deno.readTextFile(`/proc/${pid}/status`);
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) * 1024;
  } catch {
    return undefined;
  }
}
