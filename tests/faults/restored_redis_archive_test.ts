import assert from "node:assert/strict";
import { TaskcastClient } from "@taskcast/client";
import { createPostgresAdapter } from "@taskcast/postgres";
import { createRedisAdapters } from "@taskcast/redis";
import type { CliServer } from "../../testing/servers/cli.ts";
import { startCli } from "../../testing/servers/cli.ts";
import { leftOut } from "../../testing/left_out.ts";
import { hasPostgres, startPostgres } from "../../testing/databases/postgres_server.ts";
import { parsePrometheus } from "../../testing/texts/prometheus.ts";
import type { RedisServer } from "../../testing/databases/redis_server.ts";
import { redisProgram, startRedis } from "../../testing/databases/redis_server.ts";
import { until } from "../../testing/sse/sse.ts";

// Servers continue while their Redis is restarted from an older dump, with an archive behind it.

const hasAll = await redisProgram() !== undefined && await hasPostgres();
if (!hasAll) leftOut("a restored Redis with an archive", "redis-server, postgres and initdb");
const test = hasAll ? Deno.test : () => {};

const DELTA = { type: "delta", seriesId: "answer", seriesMode: "accumulate" };

async function call(url: string, path: string, body?: unknown, method = "POST") {
  const init = body === undefined ? {} : {
    method,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  };
  const response = await fetch(url + path, init);
  return { status: response.status, body: await response.json() };
}

async function done(url: string, path: string, body?: unknown, method?: string) {
  const { status, body: answer } = await call(url, path, body, method);
  assert(status < 300, `${path}: ${status} ${JSON.stringify(answer)}`);
  return answer;
}

async function say(url: string, id: string, text: string): Promise<void> {
  await done(url, `/tasks/${id}/events`, [...text].map((delta) => ({ ...DELTA, data: { delta } })));
}

async function end(url: string, id: string): Promise<void> {
  await done(url, `/tasks/${id}/status`, { status: "completed", result: { of: id } }, "PATCH");
}

/** Returns a task as readers see it. */
async function seen(url: string, id: string) {
  const events = await done(url, `/tasks/${id}/events/history?limit=1000`);
  const { subscriberCount: _, ...task } = await done(url, `/tasks/${id}`);
  return { task, events };
}

/** Returns true if no task is scheduled for the archive. */
async function isArchived(url: string): Promise<boolean> {
  const { shortTerm, broadcast } = createRedisAdapters(url);
  const marked = await shortTerm.scheduled("archive", { limit: 1 });
  await Promise.all([shortTerm.close(), broadcast.close()]);
  return marked.length === 0;
}

async function saveDump({ port }: RedisServer): Promise<void> {
  const { success } = await new Deno.Command("redis-cli", { args: ["-p", `${port}`, "save"] })
    .output();
  assert(success);
}

/** Sums of the servers' counters, and their reports by task. */
class Told {
  readonly #servers: readonly CliServer[];

  constructor(servers: readonly CliServer[]) {
    this.#servers = servers;
  }

  async counted(name: string): Promise<number> {
    let sum = 0;
    for (const { url } of this.#servers) {
      const text = await (await fetch(`${url}/metrics`)).text();
      sum += parsePrometheus(text).get(name)!.samples[0]!.value;
    }
    return sum;
  }

  times(id: string, words: RegExp): number {
    const log = this.#servers.map(({ process }) => process.err + process.out).join("");
    return log.split("\n").filter((line) => line.includes(`"${id}"`) && words.test(line)).length;
  }
}

for (const isQuick of [true, false]) {
  const how = isQuick ? "at once" : "after a while";
  test(`redis: tasks that only the archive has are served after a restart from an older dump (${how})`, async () => {
    const folder = await Deno.makeTempDir({ prefix: "taskcast-restored-" });
    await using postgres = await startPostgres();
    const archive = await createPostgresAdapter({ url: postgres.url, maxConnections: 1 });
    let redis = await startRedis({ folder });
    try {
      const env = { TASKCAST_REDIS_URL: redis.url, TASKCAST_POSTGRES_URL: postgres.url };
      const start = () => startCli(["--host", "127.0.0.1"], env);
      await using one = await start();
      await using other = await start();
      const told = new Told([one, other]);
      const { url } = one;
      for (const id of ["ended", "live", "idle"]) {
        await done(url, "/tasks", { id });
        await say(url, id, "older ");
      }
      // Otherwise the marks of tasks left to archive would lead to them.
      await until(() => isArchived(redis.url), "nothing is left to archive");
      await saveDump(redis);
      const dump = await Deno.readFile(`${folder}/dump.rdb`);
      await done(url, "/tasks", { id: "new" });
      for (const id of ["ended", "live", "new"]) await say(url, id, "newer ");
      await end(url, "ended");
      await done(url, "/tasks/live/status", { status: "running" }, "PATCH");
      const ids = ["ended", "live", "new", "idle"];
      const before = await Promise.all(ids.map((id) => seen(url, id)));
      await until(async () => {
        const heads = await Promise.all(ids.map((id) => archive.getTask(id)));
        return heads.every((head, i) =>
          head?.length === before[i]!.events.length &&
          head?.record.task.status === before[i]!.task.status
        );
      }, "the archive has all of it");
      const stream = new TaskcastClient({ baseUrl: other.url }).stream("live");
      const reading = (async () => {
        for await (const _ of stream);
      })();
      await until(() => stream.text("answer") === "older newer ", "somebody reads");

      const { port } = redis;
      await redis.kill();
      if (!isQuick) {
        const isAway = async () => (await call(url, "/tasks/live")).status === 503;
        await until(isAway, "the servers notice the loss of Redis");
      }
      await Deno.writeFile(`${folder}/dump.rdb`, dump);
      redis = await startRedis({ folder, port });

      const counts = async () =>
        [
          await told.counted("taskcast_tasks_overtaken_total"),
          await told.counted("taskcast_tasks_refilled_total"),
        ].join();
      await until(async () => await counts() === "1,2", "the newer archive was found");
      for (const server of [one, other]) {
        const after = await Promise.all(ids.map((id) => seen(server.url, id)));
        assert.deepEqual(after, before);
      }
      assert.equal((await call(url, "/tasks/ended/events", { type: "n", data: 1 })).status, 409);
      for (const id of ["live", "new", "idle"]) await say(other.url, id, "end");
      await until(() => stream.text("answer") === "older newer end", "the reader continues");

      // The other way round: the archive may be behind.
      await say(other.url, "idle", "!");
      await saveDump(redis);
      await redis.kill();
      redis = await startRedis({ folder, port });
      const isBack = async () => (await call(url, "/tasks/idle")).status === 200;
      await until(isBack, "Redis is back");
      for (const id of ["live", "new", "idle"]) await end(url, id);
      await reading;
      await until(async () => {
        const heads = await Promise.all(["live", "new", "idle"].map((id) => archive.getTask(id)));
        return heads.every((head) => head?.record.task.status === "completed");
      }, "all is archived");
      assert.equal((await archive.getTask("idle"))?.length, "older end!".length + 1);
      assert.equal(stream.text("answer"), "older newer end");
      assert.equal(await counts(), "1,2");
      assert.equal(told.times("ended", /is served from the archive/), 1);
      for (const id of ["live", "new"]) assert.equal(told.times(id, /brought back/), 1, id);
      for (const words of [/brought back/, /served from/]) {
        assert.equal(told.times("idle", words), 0);
      }
    } finally {
      await archive.close();
      await redis.kill();
      await Deno.remove(folder, { recursive: true });
    }
  });
}
