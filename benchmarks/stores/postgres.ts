import { TaskEngine } from "@taskcast/core";
import { createPostgresAdapters } from "@taskcast/postgres";
import { startPostgres } from "../../testing/databases/postgres_server.ts";
import { BATCH, batches, LIMITS, singles } from "./load.ts";
import { PostgresBaseline } from "./postgres_baseline.ts";
import type { Run } from "./run.ts";
import { compare } from "./rounds.ts";

const BASELINE = "raw INSERT … SELECT FROM unnest(), a COMMIT for each group";

/** Compares the store in PostgreSQL with raw inserts of several rows. */
export async function benchPostgres({ rounds, ms, concurrencies, report }: Run): Promise<void> {
  await using server = await startPostgres({ durable: true });
  const { broadcast, shortTerm } = await createPostgresAdapters({ url: server.url });
  const engine = new TaskEngine({ broadcast, shortTermStore: shortTerm, limits: LIMITS });
  const baseline = new PostgresBaseline(server.url);
  await baseline.open();
  for (const concurrency of concurrencies) {
    const results = await compare({
      scenario: `appendEvent, ${concurrency} at a time`,
      storage: "postgres",
      value: () => singles(engine, concurrency, ms),
      baselines: { [BASELINE]: () => baseline.inserts(concurrency, ms, 1) },
    }, rounds);
    results.forEach(report);
  }
  const results = await compare({
    scenario: `appendEvents of ${BATCH}, 8 at a time`,
    storage: "postgres",
    value: () => batches(engine, 8, ms),
    baselines: { [BASELINE]: () => baseline.inserts(8, ms, BATCH) },
  }, rounds);
  results.forEach(report);
  await baseline.close();
  await engine.close();
  await broadcast.close();
  await shortTerm.close();
}
