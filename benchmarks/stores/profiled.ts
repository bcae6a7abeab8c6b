// What can be profiled. It uses only what old versions had, too, so that they can be compared.
import type { BroadcastProvider, ShortTermStore } from "@taskcast/core/adapter";
import { TaskEngine } from "@taskcast/core";
import { createPostgresAdapter, createPostgresAdapters } from "@taskcast/postgres";
import { createRedisAdapters } from "@taskcast/redis";
import { createSqliteAdapters } from "@taskcast/sqlite";
import { startPostgres } from "../../testing/databases/postgres_server.ts";
import type { RedisServer } from "../../testing/databases/redis_server.ts";
import { startRedis } from "../../testing/databases/redis_server.ts";
import { backlogOf } from "./backlog.ts";
import { BATCH, batches, createTasks, EVENT, LIMITS, singles } from "./load.ts";

/** Goes on for so many milliseconds, and answers with how many events it was for. */
type Work = (ms: number) => Promise<number>;

/** Profiles this process while it works, which answers as above; redis-server, too, if given. */
export type Profiler = (work: () => Promise<number>, redis?: RedisServer) => Promise<void>;

/** Prepares something, and has it profiled for so many milliseconds. */
type Profiled = (profile: Profiler, ms: number) => Promise<void>;

type Prepare = (engine: TaskEngine) => Work | Promise<Work>;

/** Code is compiled and files have grown before anything is profiled. */
const WARM_UP_MS = 1_000;

/** Events of the log that is read page by page. */
const LOG = 50_000;

/** Events that are archived in a millisecond, about. */
const ARCHIVED_PER_MS = 50;

/** By name, which begins with what `--only` says. */
export const PROFILED: Readonly<Record<string, Profiled>> = {
  "redis-publish": onRedis(publish(32)),
  "redis-pages": onRedis(readPages),
  "sqlite-publish": onSqlite(publish(128)),
  "sqlite-publish-arrays": onSqlite(publishArrays),
  "postgres-publish": onPostgres(publish(32)),
  "postgres-publish-arrays": onPostgres(publishArrays),
  "archive-postgres": archive,
};

/** Publishes single events, so many calls at a time. */
function publish(concurrency: number): Prepare {
  return (engine) => async (ms) => (await singles(engine, concurrency, ms)).tookMs.length;
}

function publishArrays(engine: TaskEngine): Work {
  return async (ms) => BATCH * (await batches(engine, 8, ms)).tookMs.length;
}

/** All of a long log, again and again. */
async function readPages(engine: TaskEngine): Promise<Work> {
  const [taskId] = await createTasks(engine, 1);
  const array = Array.from({ length: BATCH }, () => EVENT);
  for (let i = 0; i < LOG; i += BATCH) await engine.appendEvents(taskId!, array);
  return async (ms) => {
    const endMs = performance.now() + ms;
    let count = 0;
    let id: string | undefined;
    do {
      const page = await engine.readEvents(taskId!, { since: { id } });
      count += page.events.length;
      id = page.nextCursor;
    } while (performance.now() < endMs);
    return count;
  };
}

function onRedis(prepare: Prepare): Profiled {
  return async (profile, ms) => {
    await using redis = await startRedis();
    await onStore(createRedisAdapters(redis.url), prepare, (work) => profile(work, redis), ms);
  };
}

function onSqlite(prepare: Prepare): Profiled {
  return async (profile, ms) => {
    const folder = await Deno.makeTempDir();
    // Without a wait for the disk, which would be most of the profile.
    const adapters = createSqliteAdapters({ path: `${folder}/bench.db`, synchronous: "normal" });
    await onStore(adapters, prepare, profile, ms);
    await Deno.remove(folder, { recursive: true });
  };
}

function onPostgres(prepare: Prepare): Profiled {
  return async (profile, ms) => {
    await using server = await startPostgres({ durable: true });
    await onStore(await createPostgresAdapters({ url: server.url }), prepare, profile, ms);
  };
}

async function onStore(
  { broadcast, shortTerm }: { broadcast: BroadcastProvider; shortTerm: ShortTermStore },
  prepare: Prepare,
  profile: Profiler,
  ms: number,
): Promise<void> {
  const engine = new TaskEngine({ broadcast, shortTermStore: shortTerm, limits: LIMITS });
  const work = await prepare(engine);
  await work(WARM_UP_MS);
  await profile(() => work(ms));
  await engine.close();
  await broadcast.close();
  await shortTerm.close();
}

/** A backlog that waits in memory. */
async function archive(profile: Profiler, ms: number): Promise<void> {
  await using server = await startPostgres({ durable: true });
  const archive = await createPostgresAdapter({ url: server.url });
  const warmUp = await backlogOf(WARM_UP_MS * ARCHIVED_PER_MS).fill();
  await warmUp(archive);
  const { count, fill } = backlogOf(ms * ARCHIVED_PER_MS);
  const archiveAll = await fill();
  await profile(async () => {
    await archiveAll(archive);
    return count;
  });
  await archive.close();
}
