import assert from "node:assert/strict";
import { createPostgresAdapter } from "@taskcast/postgres";
import type { TaskEvent } from "@taskcast/core/protocol";
import { toTaskEvent } from "@taskcast/core/adapter";
import { seededRandom } from "../../core/conformance/seeded_random.ts";
import type { CliServer } from "../../testing/servers/cli.ts";
import { startCli } from "../../testing/servers/cli.ts";
import { leftOut } from "../../testing/left_out.ts";
import { cuttingProxy } from "../../testing/network/cutting_proxy.ts";
import type { Servers } from "../../testing/servers/load.ts";
import { Load, producer } from "../../testing/servers/load.ts";
import type { PostgresServer } from "../../testing/databases/postgres_server.ts";
import { hasPostgres, startPostgres } from "../../testing/databases/postgres_server.ts";
import type { RedisServer } from "../../testing/databases/redis_server.ts";
import { redisProgram, startRedis } from "../../testing/databases/redis_server.ts";
import { until } from "../../testing/sse/sse.ts";

// Real servers, Redis and PostgreSQL, under load, while one of them is killed, frozen or replaced.
// Afterwards every acknowledged event exists once and in order, for readers that were connected all
// the time and for late ones.

const hasAll = await redisProgram() !== undefined && await hasPostgres();
if (!hasAll) leftOut("the tests of faults", "redis-server, postgres and initdb");
const test = hasAll ? Deno.test : () => {};

const AOF = ["--appendonly", "yes", "--appendfsync", "always"];

/** Servers on a Redis and a PostgreSQL that keep everything they acknowledge. */
class World implements Servers {
  urls: string[] = [];
  readonly #envs: readonly Record<string, string>[];
  readonly #args: string[];
  readonly #servers: CliServer[] = [];

  private constructor(envs: readonly Record<string, string>[], args: string[]) {
    this.#envs = envs;
    this.#args = args;
  }

  /** Starts two servers; the second may have another environment. */
  static async start(
    env: Record<string, string>,
    args: string[] = [],
    secondEnv = env,
  ): Promise<World> {
    const world = new World([env, secondEnv], args);
    await Promise.all([world.#add(0), world.#add(1)]);
    return world;
  }

  /** Kills a server and starts another in its place. */
  async replace(at: number): Promise<void> {
    this.#servers[at]!.process.kill("SIGKILL");
    await this.#servers[at]!.process.ended;
    await this.#add(at);
  }

  /** Suspends a server for a while and resumes it. */
  async freeze(at: number, during: () => Promise<void>): Promise<void> {
    const { process } = this.#servers[at]!;
    process.kill("SIGSTOP");
    try {
      await during();
    } finally {
      process.kill("SIGCONT");
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) await server[Symbol.asyncDispose]();
  }

  async #add(at: number): Promise<void> {
    const server = await startCli(["--host", "127.0.0.1", ...this.#args], this.#envs[at]);
    this.#servers[at] = server;
    this.urls[at] = server.url;
  }
}

interface Stores {
  folder: string;
  redis: RedisServer;
  postgres: PostgresServer;
}

async function withStores(use: (stores: Stores) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "taskcast-faults-" });
  await Deno.mkdir(`${folder}-pg`);
  const [redis, postgres] = await Promise.all([
    startRedis({ folder, args: AOF }),
    startPostgres({ folder: `${folder}-pg`, durable: true }),
  ]);
  const stores = { folder, redis, postgres };
  try {
    await use(stores);
  } finally {
    await stores.redis.kill();
    await stores.postgres.kill();
    for (const path of [folder, `${folder}-pg`]) await Deno.remove(path, { recursive: true });
  }
}

/** Waits until the archive has exactly this log. */
async function assertArchived(url: string, taskId: string, log: TaskEvent[]): Promise<void> {
  const archive = await createPostgresAdapter({ url, maxConnections: 1 });
  try {
    const isWhole = async () => (await archive.getTask(taskId))?.length === log.length;
    await until(isWhole, "the archive has all of it");
    const { events } = (await archive.readLog(taskId, { after: -1, limit: log.length + 1 }))!;
    assert.deepEqual(events.map((event) => toTaskEvent(taskId, event)), log);
  } finally {
    await archive.close();
  }
}

test("faults: Redis and PostgreSQL: kill -9 of servers, of Redis, of PostgreSQL; frozen ones", async () => {
  await withStores(async (stores) => {
    const { folder } = stores;
    const { port } = stores.redis;
    const pgPort = stores.postgres.port;
    await using world = await World.start({
      TASKCAST_REDIS_URL: stores.redis.url,
      TASKCAST_POSTGRES_URL: stores.postgres.url,
    });
    const { id } = await producer(world).createTask({ ttl: 3_600 });
    const load = new Load(world, id);
    await load.more(100);

    for (const at of [0, 1, 0]) {
      await world.replace(at);
      load.join();
      await load.more(50);
    }
    for (let round = 0; round < 2; round++) {
      await stores.redis.kill();
      stores.redis = await startRedis({ folder, port, args: AOF });
      await load.more(50);
    }
    for (let round = 0; round < 2; round++) {
      // Publishing does not need the archive.
      await stores.postgres.kill();
      await load.more(50);
      stores.postgres = await startPostgres({
        folder: `${folder}-pg`,
        port: pgPort,
        durable: true,
      });
      await load.more(50);
    }
    await stores.postgres.signal("SIGSTOP");
    await load.more(50);
    await stores.postgres.signal("SIGCONT");
    stores.redis.process.kill("SIGSTOP");
    await new Promise((resolve) => setTimeout(resolve, 700)); // Duration of the freeze.
    stores.redis.process.kill("SIGCONT");
    await load.more(50);
    await world.freeze(0, () => load.more(20));
    await world.replace(1);
    await assertArchived(stores.postgres.url, id, await load.finish());
  });
});

test("faults: an archive that was down becomes complete, even if the servers that write it are killed", async () => {
  await withStores(async (stores) => {
    const { port } = stores.postgres;
    await using world = await World.start({
      TASKCAST_REDIS_URL: stores.redis.url,
      TASKCAST_POSTGRES_URL: stores.postgres.url,
    });
    const taskcast = producer(world);
    const ids = await Promise.all(
      Array.from({ length: 20 }, async () => (await taskcast.createTask()).id),
    );
    await stores.postgres.stop();
    for (const id of ids) {
      for (let batch = 0; batch < 3; batch++) {
        await taskcast.publishEvents(
          id,
          Array.from({ length: 200 }, (_, i) => ({
            type: "n",
            data: { delta: `${batch}.${i} ` },
            seriesId: "s",
            seriesMode: "accumulate" as const,
          })),
        );
      }
      await taskcast.transitionTask(id, "completed");
    }
    const health = await (await fetch(`${world.urls[0]}/health/ready`)).json();
    assert.equal(health.status, "degraded");
    assert.equal(health.dependencies.longTermStore.ok, false);
    stores.postgres = await startPostgres({
      folder: `${stores.folder}-pg`,
      port,
      durable: true,
    });
    // Both are killed while they write, one after the other.
    const archive = await createPostgresAdapter({ url: stores.postgres.url, maxConnections: 1 });
    const archived = async () => {
      const heads = await Promise.all(ids.map((id) => archive.getTask(id)));
      return heads.reduce((sum, head) => sum + (head?.length ?? 0), 0);
    };
    await until(async () => await archived() > 0, "the archive has some events");
    await world.replace(0);
    await world.replace(1);
    for (const id of ids) {
      const log = await Array.fromAsync(producer(world).history(id));
      assert.equal(log.length, 601);
      await assertArchived(stores.postgres.url, id, log);
    }
    await archive.close();
  });
});

test("faults: nothing is lost over a network that is slow and breaks every connection", async () => {
  await withStores(async ({ redis, postgres }) => {
    const at = (url: string, proxy: { url: string }) => {
      const through = new URL(url);
      through.port = new URL(proxy.url).port;
      return through.href;
    };
    // At any byte of a message, in either direction.
    let breaks = true;
    let started = false; // A start that is cut fails; another test covers that.
    const random = seededRandom(20);
    const about = (bytes: number, atStart = bytes) => () =>
      !breaks ? Infinity : (started ? bytes : atStart) * (0.7 + random());
    await using toRedis = cuttingProxy(redis.url, about(30_000, 150_000), { delayMs: 5 });
    await using toPostgres = cuttingProxy(postgres.url, about(15_000), { delayMs: 3 });
    const env = {
      TASKCAST_REDIS_URL: redis.url,
      TASKCAST_POSTGRES_URL: at(postgres.url, toPostgres),
    };
    const slow = { ...env, TASKCAST_REDIS_URL: at(redis.url, toRedis) };
    await using world = await World.start(env, [], slow);
    started = true;
    const { id } = await producer(world).createTask();
    const load = new Load(world, id);
    await load.more(200);
    await until(() => toRedis.cuts > 10, "connections to Redis broke");
    await until(() => toPostgres.cuts > 1, "connections to PostgreSQL broke");
    await load.more(100);
    breaks = false;
    await assertArchived(postgres.url, id, await load.finish());
  });
});

test("faults: PostgreSQL alone: kill -9 of servers and of PostgreSQL, frozen", async () => {
  const folder = await Deno.makeTempDir({ prefix: "taskcast-faults-" });
  let postgres = await startPostgres({ folder, durable: true });
  const { port } = postgres;
  try {
    await using world = await World.start(
      { TASKCAST_POSTGRES_URL: postgres.url },
      ["--storage", "postgres"],
    );
    const { id } = await producer(world).createTask();
    const load = new Load(world, id);
    await load.more(50);
    for (const at of [0, 1]) {
      await world.replace(at);
      load.join();
      await load.more(30);
    }
    for (let round = 0; round < 2; round++) {
      await postgres.kill();
      postgres = await startPostgres({ folder, port, durable: true });
      await load.more(30);
    }
    await postgres.signal("SIGSTOP");
    await new Promise((resolve) => setTimeout(resolve, 700)); // Duration of the freeze.
    await postgres.signal("SIGCONT");
    await load.more(30);
    await load.finish();
  } finally {
    await postgres.kill();
    await Deno.remove(folder, { recursive: true });
  }
});

test("faults: many processes write to one series, and race for its end", async () => {
  await withStores(async ({ redis, postgres, folder }) => {
    const file = `${folder}/tasks.db`;
    const storages: [Record<string, string>, string[]][] = [
      [{ TASKCAST_REDIS_URL: redis.url }, []],
      [{ TASKCAST_POSTGRES_URL: postgres.url }, ["--storage", "postgres"]],
      [{ TASKCAST_SQLITE_PATH: file }, []],
    ];
    for (const [env, args] of storages) {
      await using world = await World.start(env, args);
      const { id } = await producer(world).createTask();
      const load = new Load(world, id, { producers: 8 });
      await load.more(300);
      await load.finish();

      // Ends, a deletion and a ttl, all at once and everywhere: readers get one end, once.
      for (let round = 0; round < 5; round++) {
        const { id } = await producer(world).createTask({ ttl: 0.2 });
        const ends = await Promise.all(
          Array.from({ length: 10 }, (_, i) =>
            fetch(`${world.urls[i % 2]}/tasks/${id}/status`, {
              method: "PATCH",
              headers: { "content-type": "application/json" },
              body: JSON.stringify({ status: i % 3 ? "completed" : "failed" }),
            }).then(async (response) => {
              await response.body?.cancel();
              return response.status;
            })),
        );
        assert.equal(ends.filter((status) => status === 200).length, 1);
        await until(async () => (await producer(world).getTask(id)).status !== "pending", "ended");
        const log = await Array.fromAsync(producer(world).history(id));
        assert.equal(log.length, 1);
        const deletions = await Promise.all(world.urls.map(async (url) => {
          const response = await fetch(`${url}/tasks/${id}`, { method: "DELETE" });
          await response.body?.cancel();
          return response.status;
        }));
        assert.deepEqual(deletions.toSorted(), [204, 404]);
      }
    }
  });
});
