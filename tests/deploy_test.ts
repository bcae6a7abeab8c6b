import assert from "node:assert/strict";
import { TaskcastClient } from "@taskcast/client";
import { TaskcastServerClient } from "@taskcast/server-sdk";
import { startCli } from "./support/cli.ts";
import { freePort } from "./support/free_port.ts";
import { rawGet } from "./support/raw_http.ts";
import { redisUrl } from "./support/redis_server.ts";
import { until } from "./support/sse.ts";

// The proxies of docs/deploy, as they stand there but for names and ports, in front of two instances.

const redis = await redisUrl();

async function has(program: string): Promise<boolean> {
  const found = await new Deno.Command("sh", { args: ["-c", `command -v ${program}`] }).output();
  if (!found.success) {
    console.warn(`no ${program} on this machine, left out: the test of its settings`);
  }
  return found.success;
}

interface ProxyProgram {
  name: string;
  file: string;
  command(file: string, folder: string): [string, string[]];
}

const PROXIES: readonly ProxyProgram[] = [
  {
    name: "nginx",
    file: "nginx.conf",
    command: (file, folder) => [
      "nginx",
      ["-p", folder, "-c", file, "-e", "stderr", "-g", `daemon off; pid ${folder}/pid;`],
    ],
  },
  {
    name: "caddy",
    file: "Caddyfile",
    command: (file) => ["caddy", ["run", "--adapter", "caddyfile", "--config", file]],
  },
];

for (const proxy of PROXIES) {
  if (redis === undefined || !await has(proxy.name)) continue;
  Deno.test(`${proxy.name}: streams and lines pass as they come, and go on when an instance ends`, async () => {
    const folder = await Deno.makeTempDir({ prefix: "taskcast-proxy-" });
    // On one machine with the proxy: they listen on loopback, and the proxy passes any name on.
    const env = { TASKCAST_REDIS_URL: redis, TASKCAST_TRUST_PROXY: "1" };
    const servers = await Promise.all([1, 2].map(() => startCli([], env)));
    const port = freePort();
    const text = (await Deno.readTextFile(new URL(`../docs/deploy/${proxy.file}`, import.meta.url)))
      .replaceAll("taskcast-1:3721", new URL(servers[0]!.url).host)
      .replaceAll("taskcast-2:3721", new URL(servers[1]!.url).host)
      .replaceAll("8080", `${port}`)
      .replace(/^:/m, proxy.name === "caddy" ? "{\n\tadmin off\n}\n:" : ":");
    const file = `${folder}/${proxy.file}`;
    await Deno.writeTextFile(file, text);
    const [command, args] = proxy.command(file, folder);
    const process = new Deno.Command(command, {
      args,
      env: { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
      stdout: "null",
      stderr: "null",
    }).spawn();
    try {
      const url = `http://127.0.0.1:${port}`;
      const isUp = () =>
        fetch(`${url}/health`).then(async (response) => {
          await response.body?.cancel();
          return response.ok;
        }, () => false);
      await until(isUp, "the proxy answers");
      const named = await rawGet(port, "taskcast.example.com");
      assert.match(named, /^HTTP\/1\.1 200 /, named);
      const taskcast = new TaskcastServerClient({ baseUrl: url, retry: { attempts: 50 } });
      const { id } = await taskcast.createTask();
      const seen: number[] = [];
      const client = new TaskcastClient({
        baseUrl: url,
        connection: { minDelayMs: 5, maxDelayMs: 100 },
      });
      const following = client.subscribe(id, {
        filter: { types: ["n"] },
        onEvent: ({ data }) => seen.push(data as number),
      });
      const publisher = taskcast.openPublisher(id);
      // Each comes before the next is sent: nothing on the way waits for more.
      for (let i = 0; i < 5; i++) {
        await publisher.publish({ type: "n", data: i });
        await until(() => seen.length === i + 1, `event ${i} has come`);
      }
      await publisher.close();
      const [first] = servers;
      first!.process.kill("SIGTERM");
      assert.equal(await first!.process.ended, 0, first!.process.err);
      for (let i = 5; i < 10; i++) await taskcast.publishEvent(id, { type: "n", data: i });
      await taskcast.transitionTask(id, "completed");
      await following;
      assert.deepEqual(seen, Array.from({ length: 10 }, (_, i) => i));
    } finally {
      process.kill("SIGTERM");
      await process.status;
      for (const server of servers) await server[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    }
  });
}
