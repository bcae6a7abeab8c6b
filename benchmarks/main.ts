// Loads a server over HTTP and prints a line of JSON for each scenario.
//
//   deno task bench                           the server of this repository, and a bare one
//   deno task bench --target http://host:3721 any server of the same API
//   deno task bench --storage sqlite          the same on sqlite, redis, postgres, redis+postgres
//   deno task bench --only fan-out --scale 0.1
import { parseArgs } from "node:util";
import type { Bench, Result } from "./load.ts";
import { rounded } from "./load.ts";
import { fanOut } from "./scenarios/fan_out.ts";
import { footprint } from "./scenarios/footprint.ts";
import { latency } from "./scenarios/latency.ts";
import { publish } from "./scenarios/publish.ts";
import { growth, replay } from "./scenarios/replay.ts";
import { openStorage } from "./storages.ts";
import { remoteTarget, startTarget } from "./target.ts";

const SCENARIOS: Record<string, (bench: Bench) => Promise<void>> = {
  footprint,
  publish,
  growth,
  replay,
  "fan-out": fanOut,
  latency,
};

const { values } = parseArgs({
  args: Deno.args,
  options: {
    target: { type: "string" },
    only: { type: "string" },
    scale: { type: "string", default: "1" },
    storage: { type: "string", default: "memory" },
  },
});

function print({ value, baseline, details, ...rest }: Result): void {
  console.log(JSON.stringify({
    ...rest,
    value: rounded(value),
    ...(baseline === undefined
      ? {}
      : { baseline: rounded(baseline), ratio: rounded(value / baseline) }),
    ...details && Object.fromEntries(
      Object.entries(details).map(([name, detail]) => [name, rounded(detail)]),
    ),
  }));
}

for (const [name, scenario] of Object.entries(SCENARIOS)) {
  if (values.only !== undefined && values.only !== name) continue;
  // Each with fresh processes: what one leaves behind does not slow the next.
  await using storage = await openStorage(values.storage);
  await using target = values.target === undefined
    ? await startTarget("cli/mod.ts", [
      "start",
      "--log-level",
      "error",
      ...storage.args,
    ])
    : remoteTarget(values.target);
  await using baseline = await startTarget("benchmarks/baseline_server.ts");
  const { url, startMs } = target;
  await scenario({
    url,
    startMs,
    rss: () => target.rss(),
    baselineUrl: baseline.url,
    scale: Number(values.scale),
    report: print,
  });
}
