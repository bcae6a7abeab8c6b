// How fast the stores are against the machine they run on: an engine over each store in this process,
// and beside it, in turns, the least that has to be done on the same Redis, file or PostgreSQL.
//
//   deno run -A benchmarks/stores/main.ts [--only redis|sqlite|postgres|archive] [--rounds 5]
//     [--scale 1] [--concurrency 1,32,128] [--out benchmarks/results]
//
// Or what this process and redis-server do meanwhile, as flame graphs and for the tools of browsers;
// with --root the engine and the stores are those of another checkout, to compare versions:
//
//   deno run -A benchmarks/stores/main.ts --profile FOLDER [--root FOLDER] [--only …] [--scale 1]
import { parseArgs } from "node:util";
import { lineOf } from "../harness/result.ts";
import { benchArchive } from "./archive.ts";
import { benchPostgres } from "./postgres.ts";
import { profileStores } from "./profile_stores.ts";
import { benchRedis } from "./redis.ts";
import type { Run } from "./run.ts";
import { benchSqlite } from "./sqlite.ts";

const BENCHMARKS: Record<string, (run: Run) => Promise<void>> = {
  redis: benchRedis,
  sqlite: benchSqlite,
  postgres: benchPostgres,
  archive: benchArchive,
};

/** Milliseconds that are profiled of each. */
const PROFILE_MS = 4_000;

const { values } = parseArgs({
  args: Deno.args,
  options: {
    only: { type: "string" },
    rounds: { type: "string", default: "5" },
    scale: { type: "string", default: "1" },
    concurrency: { type: "string", default: "1,32,128" },
    out: { type: "string" },
    profile: { type: "string" },
    root: { type: "string" },
  },
});
if (values.only !== undefined && !Object.hasOwn(BENCHMARKS, values.only)) {
  throw new Error(`--only must be one of ${Object.keys(BENCHMARKS).join(", ")}`);
}
if (values.root !== undefined && values.profile === undefined) {
  throw new Error("--root is for --profile: the scripts of the baselines are this checkout's");
}
if (values.profile !== undefined) {
  const ms = PROFILE_MS * Number(values.scale);
  await profileStores({ ...values, folder: values.profile, ms });
  Deno.exit();
}

const file = values.out === undefined ? undefined : `${values.out}/stores.jsonl`;
if (file !== undefined) {
  await Deno.mkdir(values.out!, { recursive: true });
  await Deno.writeTextFile(file, "");
}
for (const [name, bench] of Object.entries(BENCHMARKS)) {
  if (values.only !== undefined && values.only !== name) continue;
  await bench({
    rounds: Number(values.rounds),
    scale: Number(values.scale),
    ms: 500 * Number(values.scale),
    concurrencies: values.concurrency.split(",").map(Number),
    report(result) {
      const line = lineOf(result);
      console.log(line);
      if (file !== undefined) Deno.writeTextFileSync(file, line + "\n", { append: true });
    },
  });
}
