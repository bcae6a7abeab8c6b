/** One result, as it is printed: a line of JSON. */
export interface Result {
  scenario: string;
  storage: "redis" | "sqlite" | "postgres" | "redis+postgres";
  unit: "events/s";
  /** The median of the rounds. */
  value: number;
  /** What the bare machine does with the same work, in the same run. */
  baseline: number;
  baselineName: string;
  ratio: number;
  /** The ratio, or the value, that is asked for. */
  target: number;
  ok: boolean;
  rounds: number;
}

/** Events per second of one measurement. */
export type Measure = () => Promise<number>;

/** What is compared with what, and what is asked of it. */
export interface Comparison {
  scenario: string;
  storage: Result["storage"];
  value: Measure;
  baselines: Record<string, Measure>;
  /** The ratio asked for of each baseline, or the value. */
  target: { ratio: number } | { value: number };
}

/** Measures in turns (A B A B …), so that a noisy machine is noisy for all. */
export async function compare(
  { scenario, storage, value, baselines, target }: Comparison,
  rounds: number,
): Promise<Result[]> {
  const measures = { ...baselines, value };
  const found: Record<string, number[]> = {};
  for (const measure of Object.values(measures)) await measure(); // Warm-up.
  for (let round = 0; round < rounds; round++) {
    for (const [name, measure] of Object.entries(measures)) {
      (found[name] ??= []).push(await measure());
    }
  }
  const median = medianOf(found.value!);
  return Object.keys(baselines).map((baselineName) => {
    const baseline = medianOf(found[baselineName]!);
    const ratio = median / baseline;
    const ok = "ratio" in target ? ratio >= target.ratio : median >= target.value;
    return {
      scenario,
      storage,
      unit: "events/s",
      value: Math.round(median),
      baseline: Math.round(baseline),
      baselineName,
      ratio: Number(ratio.toFixed(3)),
      target: "ratio" in target ? target.ratio : target.value,
      ok,
      rounds,
    };
  });
}

/** The value in the middle; of an even number of values the mean of the two. */
export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
