import { TaskEngine } from "@taskcast/core";
import { createRedisAdapters } from "@taskcast/redis";
import { startRedis } from "../../testing/databases/redis_server.ts";
import { BATCH, batches, createTasks, LIMITS, singles } from "./load.ts";
import { BASELINE, RedisBaseline } from "./redis_baseline.ts";
import type { Run } from "./run.ts";
import { compare } from "./rounds.ts";

/** Compares the store on Redis with raw script calls. */
export async function benchRedis({ rounds, ms, concurrencies, report }: Run): Promise<void> {
  await using redis = await startRedis();
  const { broadcast, shortTerm } = createRedisAdapters(redis.url);
  const engine = new TaskEngine({ broadcast, shortTermStore: shortTerm, limits: LIMITS });
  const baseline = new RedisBaseline(redis.url);
  const storage = "redis";
  for (const concurrency of concurrencies) {
    const results = await compare({
      scenario: `appendEvent, ${concurrency} at a time`,
      storage,
      value: () => singles(engine, concurrency, ms),
      baselines: {
        [BASELINE.minimal]: () => baseline.minimal(concurrency, ms, 1),
        [BASELINE.commit]: async () =>
          await baseline.commits(await createTasks(engine, concurrency), concurrency, ms, 1),
      },
      // The minimal script does less than an append must do, and shows what that costs.
      target: { ratio: 0.6, of: BASELINE.commit },
    }, rounds);
    results.forEach(report);
  }
  const concurrency = 8;
  const results = await compare({
    scenario: `appendEvents of ${BATCH}, ${concurrency} at a time`,
    storage,
    value: () => batches(engine, concurrency, ms),
    baselines: {
      [BASELINE.batch]: () => baseline.minimal(concurrency, ms, BATCH),
      [BASELINE.commit]: async () =>
        await baseline.commits(await createTasks(engine, concurrency), concurrency, ms, BATCH),
    },
    target: { value: 100_000 },
  }, rounds);
  results.forEach(report);
  baseline.close();
  await engine.close();
  await broadcast.close();
  await shortTerm.close();
}
