import { freePort } from "../network/free_port.ts";
import { until } from "../sse/sse.ts";

/** A pgbouncer in front of a PostgreSQL. */
export interface PgbouncerServer {
  /** Address of the PostgreSQL through the pooler. */
  url: string;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Settings of a pooler. */
export interface PgbouncerOptions {
  /** When a connection to PostgreSQL may be used by the next client. @default {"transaction"} */
  mode?: "session" | "transaction" | "statement";
  /** Number of connections to PostgreSQL. @default {2} */
  poolSize?: number;
  port?: number;
}

/** Returns true if pgbouncer can be started here. */
export async function hasPgbouncer(): Promise<boolean> {
  try {
    return (await new Deno.Command("pgbouncer", { args: ["--version"] }).output()).success;
  } catch {
    return false;
  }
}

/** Starts a pgbouncer on a free port of loopback. */
export async function startPgbouncer(
  database: string,
  { mode = "transaction", poolSize = 2, port = freePort() }: PgbouncerOptions = {},
): Promise<PgbouncerServer> {
  const url = new URL(database);
  const dir = await Deno.makeTempDir({ prefix: "taskcast-pgbouncer-" });
  await Deno.writeTextFile(`${dir}/users.txt`, `"${url.username}" ""\n`);
  await Deno.writeTextFile(
    `${dir}/pgbouncer.ini`,
    `[databases]
* = host=${url.hostname} port=${url.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${dir}/users.txt
pool_mode = ${mode}
default_pool_size = ${poolSize}
server_login_retry = 0
server_check_delay = 0
logfile = ${dir}/log
`,
  );
  // pgbouncer refuses to run as root.
  const asNobody = Deno.uid() === 0 ? ["--reuid=65534", "--regid=65534", "--clear-groups"] : [];
  if (asNobody.length > 0) {
    await Deno.chown(dir, 65534, 65534);
    for await (const { name } of Deno.readDir(dir)) {
      await Deno.chown(`${dir}/${name}`, 65534, 65534);
    }
  }
  const [command, args] = asNobody.length > 0
    ? ["setpriv", [...asNobody, "pgbouncer", "-q", `${dir}/pgbouncer.ini`]]
    : ["pgbouncer", ["-q", `${dir}/pgbouncer.ini`]];
  const process = new Deno.Command(command, { args, stdout: "null", stderr: "null" }).spawn();
  await until(() => accepts(port), "pgbouncer takes connections");
  url.port = `${port}`;
  return {
    url: url.href,
    async [Symbol.asyncDispose]() {
      process.kill("SIGKILL");
      await process.status;
      await Deno.remove(dir, { recursive: true });
    },
  };
}

async function accepts(port: number): Promise<boolean> {
  try {
    using _connection = await Deno.connect({ port, hostname: "127.0.0.1" });
    return true;
  } catch {
    return false;
  }
}
