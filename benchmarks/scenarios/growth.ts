import { fillTask, post } from "../harness/api.ts";
import type { Bench } from "../harness/bench.ts";
import { scaled } from "../harness/bench.ts";
import { plainEvent, tokenEvent } from "../harness/events.ts";
import { median, quantile, ratioOf } from "../harness/measure.ts";

const SINGLES = 500;
const PAGES = 100;

/** What one event, and a page of history, cost when the log has become long. */
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
  const { server: { url }, rounds } = bench;
  const length = scaled(bench, 100_000);
  const ids = [await fillTask(url, 1_000, makeEvent), await fillTask(url, length, makeEvent)];
  const medians: number[][] = [[], []];
  for (let round = -1; round < rounds; round++) {
    const times: number[][] = [[], []];
    // One to the short log, one to the long one: whatever disturbs, disturbs both.
    for (let i = 0; i < SINGLES; i++) {
      for (const [which, id] of ids.entries()) {
        const startedMs = performance.now();
        await post(`${url}/tasks/${id}/events`, makeEvent(i));
        times[which]!.push(performance.now() - startedMs);
      }
    }
    if (round < 0) continue; // Warm-up.
    for (const which of [0, 1]) medians[which]!.push(quantile(times[which]!, 0.5));
  }
  bench.report({
    scenario: `one publish to a log of ${length} events, ${kind}`,
    unit: "ms",
    value: median(medians[1]!),
    baseline: median(medians[0]!),
    baselineName: "one publish to a log of 1000 events",
    // The other way round than in most: below 1 is slower than the short log.
    ratio: ratioOf(medians[0]!, medians[1]!),
    target: 0.9,
    targetIs: "ratio at least",
    rounds,
  });
}

/** Pages of 100 events near the end of a log, against those near its beginning. */
async function paging(bench: Bench): Promise<void> {
  const { server: { url }, rounds } = bench;
  const length = scaled(bench, 100_000);
  const id = await fillTask(url, length, plainEvent);
  const page = async (since: number) => {
    const startedMs = performance.now();
    const query = `since.index=${since}&limit=100`;
    const response = await fetch(`${url}/tasks/${id}/events/history?${query}`);
    const events = await response.json();
    if (events.length !== 100) throw new Error(`a page had ${events.length} events`);
    return performance.now() - startedMs;
  };
  const near: number[] = [];
  const far: number[] = [];
  for (let round = -1; round < rounds; round++) {
    const times: [number[], number[]] = [[], []];
    for (let i = 0; i < PAGES; i++) {
      times[0].push(await page(i));
      times[1].push(await page(length - 300 + i));
    }
    if (round < 0) continue;
    near.push(quantile(times[0], 0.5));
    far.push(quantile(times[1], 0.5));
  }
  bench.report({
    scenario: `a page of history at the end of ${length} events`,
    unit: "ms",
    value: median(far),
    baseline: median(near),
    baselineName: "a page at the beginning",
    ratio: ratioOf(near, far),
    target: 0.9,
    targetIs: "ratio at least",
    rounds,
  });
}
