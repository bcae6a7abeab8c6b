/** Returns the smallest value that a given share of the values does not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}

/** Returns the middle value, or the mean of the two middle values. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? sorted[middle]!
    : (sorted[middle - 1]! + sorted[middle]!) / 2 || NaN;
}

/** Quantiles of latencies. */
export interface Latencies {
  p50Ms: number;
  p99Ms: number;
}

/** Returns the medians of the rounds' quantiles. */
export function latenciesOf(rounds: readonly (readonly number[])[]): Latencies {
  const middle = (share: number) => median(rounds.map((values) => quantile(values, share)));
  return { p50Ms: middle(0.5), p99Ms: middle(0.99) };
}

/** Rounds to three significant digits; machines are too noisy for more. */
export function rounded(value: number): number {
  return Number(value.toPrecision(3));
}

/**
 * Runs each piece of work once a round, in turns, so that a slow phase of the machine affects all
 * of them. Every second round goes backwards, so that none always comes first.
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

/** Returns the median ratio of two series of measurements taken in turns. */
export function ratioOf(values: readonly number[], baseline: readonly number[]): number {
  return median(values.map((value, round) => value / baseline[round]!));
}

/** Resolves after `ms` milliseconds. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}
