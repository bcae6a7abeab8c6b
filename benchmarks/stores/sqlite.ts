import { TaskEngine } from "@taskcast/core";
import { createSqliteAdapters } from "@taskcast/sqlite";
import { BATCH, batches, LIMITS, singles } from "./load.ts";
import type { Run } from "./run.ts";
import { compare } from "./rounds.ts";
import { SqliteBaseline } from "./sqlite_baseline.ts";

const BASELINE = "raw prepared INSERTs, a COMMIT for each turn";

/** Compares the store in SQLite with raw inserts, with and without a wait for the disk. */
export async function benchSqlite({ rounds, ms, concurrencies, report }: Run): Promise<void> {
  for (const synchronous of ["full", "normal"] as const) {
    const folder = await Deno.makeTempDir();
    const { broadcast, shortTerm } = createSqliteAdapters({
      path: `${folder}/bench.db`,
      synchronous,
    });
    const engine = new TaskEngine({ broadcast, shortTermStore: shortTerm, limits: LIMITS });
    const baseline = new SqliteBaseline(`${folder}/raw.db`, synchronous);
    for (const concurrency of concurrencies) {
      const results = await compare({
        scenario: `appendEvent, ${concurrency} at a time, synchronous ${synchronous}`,
        storage: "sqlite",
        value: () => singles(engine, concurrency, ms),
        baselines: { [BASELINE]: () => baseline.inserts(concurrency, ms, 1) },
        target: { ratio: 0.5 },
      }, rounds);
      results.forEach(report);
    }
    const results = await compare({
      scenario: `appendEvents of ${BATCH}, 8 at a time, synchronous ${synchronous}`,
      storage: "sqlite",
      value: () => batches(engine, 8, ms),
      baselines: { [BASELINE]: () => baseline.inserts(8, ms, BATCH) },
      target: { ratio: 0.5 },
    }, rounds);
    results.forEach(report);
    baseline.close();
    await engine.close();
    await broadcast.close();
    await shortTerm.close();
    await Deno.remove(folder, { recursive: true });
  }
}
