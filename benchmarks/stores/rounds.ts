import { inTurns, median, ratioOf } from "../harness/measure.ts";
import type { Measured } from "../harness/result.ts";

/** Events per second of one measurement. */
export type Measure = () => Promise<number>;

/** What is compared with what, and what is asked of it. */
export interface Comparison {
  scenario: string;
  storage: "redis" | "sqlite" | "postgres" | "redis+postgres";
  value: Measure;
  baselines: Record<string, Measure>;
  /** The ratio asked for of each baseline, or the value. */
  target?: { ratio: number } | { value: number };
}

/** Measures in turns, so that a noisy machine is noisy for all. */
export async function compare(
  { scenario, storage, value, baselines, target }: Comparison,
  rounds: number,
): Promise<(Measured & { storage: string })[]> {
  const measures: Record<string, Measure> = { ...baselines, value };
  for (const measure of Object.values(measures)) await measure(); // Warm-up.
  const found = await inTurns(rounds, measures);
  return Object.keys(baselines).map((baselineName) => ({
    scenario,
    storage,
    unit: "events/s",
    value: median(found.value!),
    baseline: median(found[baselineName]!),
    baselineName,
    ratio: ratioOf(found.value!, found[baselineName]!),
    ...target === undefined
      ? {}
      : "ratio" in target
      ? { target: target.ratio, targetIs: "ratio at least" as const }
      : { target: target.value, targetIs: "at least" as const },
    rounds,
  }));
}
