import type { LongTermStore } from "@taskcast/core/adapter";
import { TaskEngine } from "@taskcast/core";
import { createPostgresAdapter } from "@taskcast/postgres";
import { createRedisAdapters } from "@taskcast/redis";
import { startPostgres } from "../../testing/databases/postgres_server.ts";
import { startRedis } from "../../testing/databases/redis_server.ts";
import { backlogOf } from "./backlog.ts";
import type { Load } from "./load.ts";
import { BATCH, batches, LIMITS, singles } from "./load.ts";
import { PostgresBaseline } from "./postgres_baseline.ts";
import type { Run } from "./run.ts";
import { pause } from "../harness/measure.ts";
import { compare } from "./rounds.ts";

/** Events that wait when archiving begins. */
const BACKLOG = 50_000;

/** Events that the engine archives in one write. */
const GROUP = 1_000;

/** Factor for the duration, so that it exceeds the archive's lag. */
const TIMES_AS_LONG = 4;

/** Factor for the warm-up; an engine that was idle is slower at first. */
const WARM_UP_TIMES = 2;

/** Measures the archive in PostgreSQL, and what it costs publishers. */
export async function benchArchive(run: Run): Promise<void> {
  await using redis = await startRedis();
  await using postgres = await startPostgres({ durable: true });
  const archive = await createPostgresAdapter({ url: postgres.url });
  await benchBacklog(archive, postgres.url, run);
  await benchPublishing(archive, redis.url, run);
  await archive.close();
}

/** Measures a backlog that exists when the archiver starts. */
async function benchBacklog(longTermStore: LongTermStore, url: string, run: Run): Promise<void> {
  const baseline = new PostgresBaseline(url);
  await baseline.open();
  const { count, fill } = backlogOf(BACKLOG * run.scale);

  async function archived(): Promise<Load> {
    const archive = await fill();
    return { eventsPerSecond: count / await archive(longTermStore), tookMs: [] };
  }

  const results = await compare({
    scenario: `${count} events archived from memory`,
    storage: "postgres",
    value: archived,
    baselines: {
      [`raw INSERT … SELECT FROM unnest() of ${GROUP}`]: () => baseline.inserts(1, run.ms, GROUP),
    },
    target: { value: 30_000 },
  }, run.rounds);
  results.forEach(run.report);
  await baseline.close();
}

async function benchPublishing(
  archive: LongTermStore,
  redisUrl: string,
  { rounds, ms, report }: Run,
): Promise<void> {
  const plain = openOnRedis(redisUrl);
  const archiving = openOnRedis(redisUrl, archive);
  for (const [name, work, concurrency] of [["", singles, 32], ["s", batches, 8]] as const) {
    const measure = async ({ engine }: { engine: TaskEngine }) => {
      await work(engine, concurrency, WARM_UP_TIMES * ms);
      return await work(engine, concurrency, TIMES_AS_LONG * ms);
    };
    const results = await compare({
      scenario: `appendEvent${name}${name && ` of ${BATCH}`}, ${concurrency} at a time, archived`,
      storage: "redis+postgres",
      value: async () => {
        const load = await measure(archiving);
        const { engine } = archiving;
        while (await engine.archiveBacklog({ limit: 1 }) !== 0) await pause(5);
        return load;
      },
      baselines: {
        "the same without an archive": () => measure(plain),
      },
      target: { ratio: 0.8 },
    }, rounds);
    results.forEach(report);
  }
  await plain.close();
  await archiving.close();
}

function openOnRedis(url: string, longTermStore?: LongTermStore) {
  const prefix = `${crypto.randomUUID()}:`;
  const { broadcast, shortTerm } = createRedisAdapters(url, { prefix });
  const engine = new TaskEngine({
    broadcast,
    shortTermStore: shortTerm,
    longTermStore,
    limits: LIMITS,
  });
  return {
    engine,
    async close() {
      await engine.close();
      await broadcast.close();
      await shortTerm.close();
    },
  };
}
