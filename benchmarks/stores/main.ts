// Compares the stores with the machine they run on: an engine over each store in this process and,
// in turns, the least that has to be done on the same Redis, file or PostgreSQL.
//
//   deno run -A benchmarks/stores/main.ts [--only redis|sqlite|postgres|archive] [--rounds 5]
//     [--scale 1] [--concurrency 1,32,128] [--out FILE]
import { parseArgs } from "node:util";
import { resultWriter } from "../harness/result.ts";
import { benchArchive } from "./archive.ts";
import { benchPostgres } from "./postgres.ts";
import { benchRedis } from "./redis.ts";
import type { Run } from "./run.ts";
import { benchSqlite } from "./sqlite.ts";

const BENCHMARKS: Record<string, (run: Run) => Promise<void>> = {
  redis: benchRedis,
  sqlite: benchSqlite,
  postgres: benchPostgres,
  archive: benchArchive,
};

const { values } = parseArgs({
  args: Deno.args,
  options: {
    only: { type: "string" },
    rounds: { type: "string", default: "5" },
    scale: { type: "string", default: "1" },
    concurrency: { type: "string", default: "1,32,128" },
    out: { type: "string" },
  },
});
if (values.only !== undefined && !Object.hasOwn(BENCHMARKS, values.only)) {
  throw new Error(`--only must be one of ${Object.keys(BENCHMARKS).join(", ")}`);
}
const report = resultWriter(values.out);
for (const [name, bench] of Object.entries(BENCHMARKS)) {
  if (values.only !== undefined && values.only !== name) continue;
  await bench({
    rounds: Number(values.rounds),
    scale: Number(values.scale),
    ms: 500 * Number(values.scale),
    concurrencies: values.concurrency.split(",").map(Number),
    report,
  });
}
