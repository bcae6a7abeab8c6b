import assert from "node:assert/strict";
import { TaskcastClient } from "@taskcast/client";
import { TaskcastServerClient } from "@taskcast/server-sdk";
import { EventSource } from "eventsource";
import { startCli } from "../../testing/servers/cli.ts";
import { freePort } from "../../testing/network/free_port.ts";
import { rawGet } from "../../testing/network/raw_http.ts";
import { hurriedFetch } from "../../testing/network/hurried_fetch.ts";
import { redisUrl } from "../../testing/databases/redis_server.ts";
import { until } from "../../testing/sse/sse.ts";

// The proxies of docs/deploy, unchanged except for names and ports, in front of two instances.

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
  {
    name: "haproxy",
    file: "haproxy.cfg",
    command: (file) => ["haproxy", ["-db", "-f", file]],
  },
];

for (const proxy of PROXIES) {
  if (redis === undefined || !await has(proxy.name)) continue;
  Deno.test(`${proxy.name}: streams and lines pass without buffering, and continue when an instance ends`, async () => {
    const folder = await Deno.makeTempDir({ prefix: "taskcast-proxy-" });
    // The servers are on the proxy's machine: they listen on loopback, and the proxy passes any
    // name on.
    const env = { TASKCAST_REDIS_URL: redis, TASKCAST_TRUST_PROXY: "1" };
    const servers = await Promise.all([1, 2].map(() => startCli([], env)));
    const port = freePort();
    const text =
      (await Deno.readTextFile(new URL(`../../docs/deploy/${proxy.file}`, import.meta.url)))
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
      // Each arrives before the next is sent: nothing on the way buffers them or waits for a timer.
      let quickestMs = Infinity;
      for (let i = 0; i < 5; i++) {
        const startMs = performance.now();
        await publisher.publish({ type: "n", data: i });
        await until(() => seen.length === i + 1, `event ${i} has come`);
        quickestMs = Math.min(quickestMs, performance.now() - startMs);
      }
      assert(quickestMs < 100, `an event takes ${quickestMs} ms`);
      await publisher.close();
      const browser = new EventSource(`${url}/tasks/${id}/events?types=n`, { fetch: hurriedFetch });
      const shown: number[] = [];
      browser.addEventListener(
        "taskcast.event",
        ({ data }) => shown.push(JSON.parse(data).data),
      );
      await until(() => shown.length === 5, "EventSource has what was before");
      const [first, second] = servers;
      first!.process.kill("SIGTERM");
      assert.equal(await first!.process.ended, 0, first!.process.err);
      for (let i = 5; i < 8; i++) await taskcast.publishEvent(id, { type: "n", data: i });
      await until(() => shown.length === 8, "EventSource continues at the other instance");

      // While no instance runs, a client that accepts JSON gets the status, and a browser's
      // EventSource stays open.
      second!.process.kill("SIGTERM");
      assert.equal(await second!.process.ended, 0, second!.process.err);
      const away = (accept: string) =>
        fetch(`${url}/tasks/${id}/events`, { headers: { accept } })
          .then(async (answer) => [answer.status, await answer.text()] as const);
      const [status, text] = await away("text/event-stream, application/json");
      assert([502, 503, 504].includes(status), text);
      assert.deepEqual(await away("text/event-stream"), [
        200,
        "retry: 2000\n: no instance can be reached\n\n",
      ]);
      assert.notEqual(browser.readyState, browser.CLOSED);
      const again = ["--host", "127.0.0.1", "--port", new URL(second!.url).port];
      servers.push(await startCli(again, env));
      await until(isUp, "the proxy answers again");
      for (let i = 8; i < 10; i++) await taskcast.publishEvent(id, { type: "n", data: i });
      await until(() => shown.length === 10, "EventSource has all");
      browser.close();
      await taskcast.transitionTask(id, "completed");
      await following;
      const all = Array.from({ length: 10 }, (_, i) => i);
      assert.deepEqual([seen, shown], [all, all]);
    } finally {
      process.kill("SIGTERM");
      await process.status;
      for (const server of servers) await server[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    }
  });
}
