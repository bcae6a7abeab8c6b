import { inTurns, latenciesOf, median, ratioOf } from "../harness/measure.ts";
import { cpuMs, rssBytes, usageOf, watchUsage } from "../harness/processes.ts";
import type { Measured } from "../harness/result.ts";
import type { Load } from "./load.ts";

/** A measurement. */
export type Measure = () => Promise<Load>;

/** The server is this process, which has the engine. */
const SELF = { cpuMs: () => cpuMs("self"), rss: () => rssBytes("self") };

/** A measurement, its baselines and its target. */
export interface Comparison {
  scenario: string;
  storage: "redis" | "sqlite" | "postgres" | "redis+postgres";
  value: Measure;
  baselines: Record<string, Measure>;
  /** Target for the ratio to one or all baselines, or for the value. */
  target?: { ratio: number; of?: string } | { value: number };
}

/** Measures in turns, so that noise affects all of them. */
export async function compare(
  { scenario, storage, value, baselines, target }: Comparison,
  rounds: number,
): Promise<(Measured & { storage: string })[]> {
  const measures: Record<string, Measure> = { ...baselines, value };
  for (const measure of Object.values(measures)) await measure(); // Warm-up.
  const watched = Object.entries(measures).map(([name, measure]) =>
    [name, () => watchUsage(SELF, measure)] as const
  );
  const found = await inTurns(rounds, Object.fromEntries(watched));
  const rates = (name: string) => found[name]!.map((round) => round.value.eventsPerSecond);
  const ours = found.value!;
  const latencies = latenciesOf(ours.map((round) => round.value.tookMs));
  const { serverCpu, serverRssMiB } = usageOf(ours);
  return Object.keys(baselines).map((baselineName) => ({
    scenario,
    storage,
    unit: "events/s",
    value: median(rates("value")),
    baseline: median(rates(baselineName)),
    baselineName,
    ratio: ratioOf(rates("value"), rates(baselineName)),
    ...target === undefined || ("of" in target && target.of !== baselineName)
      ? {}
      : "ratio" in target
      ? { target: target.ratio, targetIs: "ratio at least" as const }
      : { target: target.value, targetIs: "at least" as const },
    rounds,
    ...Number.isNaN(latencies.p99Ms) ? {} : latencies,
    serverCpu,
    serverRssMiB,
  }));
}
