import { fillTask, post } from "../harness/api.ts";
import type { Bench } from "../harness/bench.ts";
import { scaled } from "../harness/bench.ts";
import { plainEvent, tokenEvent } from "../harness/events.ts";
import { ErrorCount } from "../harness/error_count.ts";
import { latenciesOf, quantile, ratioOf } from "../harness/measure.ts";
import type { Usage } from "../harness/processes.ts";
import { usageOf, watchUsage } from "../harness/processes.ts";

/** Requests of each kind in a round. */
const SINGLES = 500;
const PAGES = 100;
/** Length of the short log. */
const SHORT = 1_000;

/** Measures a publish and a page of history with a long log. */
export async function growth(bench: Bench): Promise<void> {
  for (const [kind, makeEvent] of [["plain", plainEvent], ["accumulate", tokenEvent]] as const) {
    await publishing(bench, kind, makeEvent);
  }
  await paging(bench);
}

async function publishing(
  bench: Bench,
  kind: string,
  makeEvent: (i: number) => Record<string, unknown>,
): Promise<void> {
  const { url } = bench.server;
  const length = Math.max(SHORT, scaled(bench, 100_000));
  const [short, long] = [
    await fillTask(url, SHORT, makeEvent),
    await fillTask(url, length, makeEvent),
  ];
  const publish = (id: string, i: number) => post(`${url}/tasks/${id}/events`, makeEvent(i));
  await compare(bench, {
    scenario: `one publish to a log of ${length} events, ${kind}`,
    baselineName: `one publish to a log of ${SHORT} events`,
    times: Math.max(20, scaled(bench, SINGLES)),
    ours: (i) => publish(long, i),
    baseline: (i) => publish(short, i),
  });
}

/** Compares pages of 100 events near the end of a log with those near its beginning. */
async function paging(bench: Bench): Promise<void> {
  const { url } = bench.server;
  const length = Math.max(SHORT, scaled(bench, 100_000));
  const id = await fillTask(url, length, plainEvent);
  const page = async (since: number) => {
    const query = `since.index=${since}&limit=100`;
    const response = await fetch(`${url}/tasks/${id}/events/history?${query}`);
    const events = await response.json();
    if (events.length !== 100) throw new Error(`a page had ${events.length} events`);
  };
  await compare(bench, {
    scenario: `a page of history at the end of ${length} events`,
    baselineName: "a page at the beginning",
    times: Math.max(10, scaled(bench, PAGES)),
    ours: (i) => page(length - 300 + i),
    baseline: page,
  });
}

/** An operation, and the same operation where it should cost as much. */
interface Comparison {
  scenario: string;
  baselineName: string;
  times: number;
  ours: (i: number) => Promise<void>;
  baseline: (i: number) => Promise<void>;
}

async function compare(bench: Bench, comparison: Comparison): Promise<void> {
  const { scenario, baselineName, times, ours, baseline } = comparison;
  const errors = new ErrorCount();
  const round = async () => {
    const tookMs: { ours: number[]; baseline: number[] } = { ours: [], baseline: [] };
    const timed = async (work: Comparison["ours"], i: number, into: number[]) => {
      const startedMs = performance.now();
      await work(i);
      into.push(performance.now() - startedMs);
    };
    // Alternates, so that a disturbance affects both.
    for (let i = 0; i < times; i++) {
      await errors.watch(timed(baseline, i, tookMs.baseline));
      await errors.watch(timed(ours, i, tookMs.ours));
    }
    return tookMs;
  };
  await round(); // Warm-up.
  const rounds: { value: Awaited<ReturnType<typeof round>>; usage: Usage }[] = [];
  while (rounds.length < bench.rounds) rounds.push(await watchUsage(bench.server, round));
  const [of, beside] = [rounds.map((r) => r.value.ours), rounds.map((r) => r.value.baseline)];
  const medians = (of: number[][]) => of.map((tookMs) => quantile(tookMs, 0.5));
  const [latencies, baselineLatencies] = [latenciesOf(of), latenciesOf(beside)];
  bench.report({
    scenario,
    unit: "ms",
    value: latencies.p50Ms,
    baseline: baselineLatencies.p50Ms,
    baselineName,
    // Inverted, as these are times: below 1 is slower than the baseline.
    ratio: ratioOf(medians(beside), medians(of)),
    target: 0.9,
    targetIs: "ratio at least",
    rounds: bench.rounds,
    ...latencies,
    errors: errors.count,
    // Use by both, because they alternate.
    ...usageOf(rounds),
  });
}
