import { Redis } from "ioredis";
import { freePorts } from "../network/free_port.ts";
import type { RedisServer } from "./redis_server.ts";
import { redisProgram, startRedis } from "./redis_server.ts";
import { until } from "../sse/sse.ts";

/** A master, its replica, and the Sentinels that watch them. */
export interface RedisSentinels extends AsyncDisposable {
  master: RedisServer;
  /** Ports of the Sentinels. */
  ports: number[];
}

/** Name of the master for the Sentinels. */
export const MASTER_NAME = "tasks";

/**
 * Starts a master, a replica and three Sentinels. Servers and Sentinels have different passwords.
 */
export async function startRedisSentinels(
  { password, sentinelPassword }: { password: string; sentinelPassword: string },
): Promise<RedisSentinels> {
  await using stack = new AsyncDisposableStack();
  const login = ["--requirepass", password, "--masterauth", password];
  login.push("--repl-diskless-sync-delay", "0");
  const [masterPort, replicaPort, ...ports] = freePorts(5) as [number, number, ...number[]];
  const master = stack.use(await startRedis({ port: masterPort, args: login, password }));
  const follow = ["--replicaof", "127.0.0.1", `${masterPort}`];
  stack.use(await startRedis({ port: replicaPort, args: [...login, ...follow], password }));
  const replica = new Redis({ port: replicaPort, password });
  const follows = async () => (await replica.info("replication")).includes("master_link_status:up");
  await until(follows, "the replica has what the master has");
  replica.disconnect();
  for (const port of ports) {
    const folder = await Deno.makeTempDir({ prefix: "taskcast-sentinel-" });
    stack.defer(() => Deno.remove(folder, { recursive: true }));
    await Deno.writeTextFile(
      `${folder}/sentinel.conf`,
      [
        `port ${port}`,
        "bind 127.0.0.1",
        `dir ${folder}`,
        `requirepass ${sentinelPassword}`,
        `sentinel sentinel-pass ${sentinelPassword}`,
        `sentinel monitor ${MASTER_NAME} 127.0.0.1 ${masterPort} 2`,
        `sentinel auth-pass ${MASTER_NAME} ${password}`,
        `sentinel down-after-milliseconds ${MASTER_NAME} 500`,
        `sentinel failover-timeout ${MASTER_NAME} 2000`,
      ].join("\n"),
    );
    const process = new Deno.Command((await redisProgram())!, {
      args: [`${folder}/sentinel.conf`, "--sentinel"],
      stdout: "null",
      stderr: "null",
    }).spawn();
    stack.defer(async () => {
      process.kill("SIGKILL");
      await process.status;
    });
  }
  for (const port of ports) {
    const admin = new Redis({ port, password: sentinelPassword });
    admin.on("error", () => {});
    const knowsAll = async () => {
      try {
        const info = await admin.call("INFO", "sentinel") as string;
        return /status=ok,address=\S+,slaves=1,sentinels=3/.test(info);
      } catch {
        return false;
      }
    };
    await until(knowsAll, "the Sentinels know each other and the replica");
    admin.disconnect();
  }
  const owned = stack.move();
  return { master, ports, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
