/** The value that a share of the values is not above. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}

/** The value in the middle; of an even number of values, the mean of the two there. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? sorted[middle]!
    : (sorted[middle - 1]! + sorted[middle]!) / 2 || NaN;
}

/** Quantiles of latencies, as lines of results have them. */
export interface Latencies {
  p50Ms: number;
  p99Ms: number;
}

/** The medians of the rounds' quantiles. */
export function latenciesOf(rounds: readonly (readonly number[])[]): Latencies {
  const middle = (share: number) => median(rounds.map((values) => quantile(values, share)));
  return { p50Ms: middle(0.5), p99Ms: middle(0.99) };
}

/** Three digits that mean something are enough: machines are noisy. */
export function rounded(value: number): number {
  return Number(value.toPrecision(3));
}

/**
 * Runs each piece of work once a round, in turns, so that a machine that is slow for a while is so
 * for all of them. Every second round goes backwards, so that none always comes first.
 */
export async function inTurns<Name extends string, Value>(
  rounds: number,
  work: Readonly<Record<Name, (round: number) => Promise<Value>>>,
): Promise<Record<Name, Value[]>> {
  const names = Object.keys(work) as Name[];
  const values = Object.fromEntries(names.map((name) => [name, [] as Value[]])) as Record<
    Name,
    Value[]
  >;
  for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      values[name].push(await work[name](round));
    }
  }
  return values;
}

/** How two series of measurements that were taken in turns compare: the median of the ratios. */
export function ratioOf(values: readonly number[], baseline: readonly number[]): number {
  return median(values.map((value, round) => value / baseline[round]!));
}

/** Waits. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}
