import { freePort } from "../network/free_port.ts";
import { leftOut } from "../left_out.ts";
import { until } from "../sse/sse.ts";

/** A Redis server of the tests. */
export interface RedisServer {
  url: string;
  port: number;
  process: Deno.ChildProcess;
  /** Kills it and keeps its files. */
  kill(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Returns the program, Redis or Valkey, or `undefined` if there is none. */
export async function redisProgram(
  name?: "redis-server" | "valkey-server",
): Promise<string | undefined> {
  for (const program of name === undefined ? ["redis-server", "valkey-server"] : [name]) {
    const found = await new Deno.Command("sh", { args: ["-c", `command -v ${program}`] }).output();
    if (found.success) return program;
  }
  return undefined;
}

/**
 * Starts a Redis on a free port of loopback.
 *
 * @param folder Folder of its files; a new one by default.
 */
export async function startRedis(
  { folder, port = freePort(), args = [], env = {}, program, password }: {
    folder?: string;
    port?: number;
    args?: readonly string[];
    env?: Record<string, string>;
    program?: string;
    /** Set if `args` make the server require it. */
    password?: string;
  } = {},
): Promise<RedisServer> {
  const own = folder === undefined;
  const dir = folder ?? await Deno.makeTempDir({ prefix: "taskcast-redis-" });
  const process = new Deno.Command(program ?? (await redisProgram())!, {
    args: ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", dir, "--save", "", ...args],
    env,
    stdout: "null",
    stderr: "null",
  }).spawn();
  await until(() => answers(port, password), "Redis answers");
  let ended = false;
  const kill = async () => {
    if (ended) return;
    ended = true;
    process.kill("SIGKILL");
    await process.status;
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    process,
    kill,
    async [Symbol.asyncDispose]() {
      await kill();
      if (own) await Deno.remove(dir, { recursive: true });
    },
  };
}

async function answers(port: number, password?: string): Promise<boolean> {
  try {
    using connection = await Deno.connect({ port, hostname: "127.0.0.1" });
    const login = password === undefined ? "" : `AUTH ${password}\r\n`;
    await connection.write(new TextEncoder().encode(`${login}PING\r\n`));
    const buffer = new Uint8Array(64);
    const length = await connection.read(buffer);
    const answer = new TextDecoder().decode(buffer.subarray(0, length ?? 0));
    return answer.startsWith(password === undefined ? "+PONG" : "+OK");
  } catch {
    return false;
  }
}

/**
 * Returns the address of a Redis for the tests of one file: `TASKCAST_TEST_REDIS_URL`, or a server
 * started from this machine's program. Returns `undefined`, with a warning, if there is none; in CI
 * that is an error.
 */
export async function redisUrl(): Promise<string | undefined> {
  const given = Deno.env.get("TASKCAST_TEST_REDIS_URL");
  if (given !== undefined) return given;
  const program = await redisProgram();
  if (program === undefined) {
    leftOut("the tests of Redis", "redis-server or valkey-server on the PATH");
    return undefined;
  }
  const folder = await Deno.makeTempDir({ prefix: "taskcast-redis-" });
  const { process, url } = await startRedis({ folder, program });
  process.unref();
  globalThis.addEventListener("unload", () => {
    process.kill("SIGKILL");
    Deno.removeSync(folder, { recursive: true });
  });
  return url;
}
