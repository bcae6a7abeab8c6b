import { createTask, endTask, post } from "../harness/api.ts";
import type { Bench } from "../harness/bench.ts";
import { scaled } from "../harness/bench.ts";
import { median, quantile } from "../harness/measure.ts";
import { watchBusy } from "../harness/processes.ts";
import { faultsOf, openReaders } from "../harness/sse_reader.ts";

const decoder = new TextDecoder();

/** From the publisher's call to the reader's socket, at half of the rate that can be delivered. */
export async function latency(bench: Bench): Promise<void> {
  for (const [readers, p99Ms] of [[100, 10], [2_000, 50]] as const) {
    const highest = await highestRate(bench, readers);
    const perSecond = highest / 2;
    const runs: (Latencies & { faults: object })[] = [];
    for (let round = 0; round < bench.rounds; round++) {
      runs.push(await oneTask(bench, { readers, perSecond, seconds: bench.seconds }));
    }
    bench.report({
      scenario: `latency to ${readers} readers at half of the highest rate, p99`,
      unit: "ms",
      value: median(runs.map(({ p99 }) => p99)),
      target: p99Ms,
      targetIs: "at most",
      rounds: bench.rounds,
      p50Ms: median(runs.map(({ p50 }) => p50)),
      p99Ms: median(runs.map(({ p99 }) => p99)),
      maxMs: Math.max(...runs.map(({ max }) => max)),
      eventsPerSecond: perSecond,
      deliveriesPerSecond: perSecond * readers,
      ...runs.at(-1)!.faults,
      ...runs.at(-1)!.busy,
    });
  }
  await manyTasks(bench);
}

interface Latencies {
  p50: number;
  p99: number;
  max: number;
  busy: object;
}

/** Single events a second, one after the other has arrived at everybody. */
async function highestRate({ server }: Bench, readers: number): Promise<number> {
  const id = await createTask(server.url);
  const url = `${server.url}/tasks/${id}/events`;
  let arrived = 0;
  let all = Promise.withResolvers<void>();
  const open = await openReaders(readers, () => url, {
    bufferBytes: 8 * 1024,
    onEvent: () => {
      if (++arrived === readers) all.resolve();
    },
  });
  let count = 0;
  const startedMs = performance.now();
  while (performance.now() - startedMs < 2_000) {
    arrived = 0;
    all = Promise.withResolvers();
    await post(url, tick());
    await all.promise;
    count++;
  }
  const perSecond = count / ((performance.now() - startedMs) / 1000);
  await endTask(server.url, id);
  await Promise.all(open.map(({ ended }) => ended));
  return perSecond;
}

async function oneTask(
  { server }: Bench,
  { readers, perSecond, seconds }: { readers: number; perSecond: number; seconds: number },
): Promise<Latencies & { faults: object }> {
  const id = await createTask(server.url);
  const url = `${server.url}/tasks/${id}/events`;
  const taken: number[] = [];
  const open = await openReaders(readers, () => url, {
    bufferBytes: 8 * 1024,
    onEvent: (line) => note(line, taken),
  });
  const { busy } = await watchBusy(server, async () => {
    const startedMs = performance.now();
    const count = Math.max(10, Math.floor(perSecond * seconds));
    const sent: Promise<void>[] = [];
    for (let i = 0; i < count; i++) {
      const waitMs = startedMs + 1000 * i / perSecond - performance.now();
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
      // Not waited for: a publisher that waits would hide what is late.
      sent.push(post(url, tick()));
    }
    await Promise.all(sent);
    await endTask(server.url, id);
    await Promise.all(open.map(({ ended }) => ended));
  });
  return { ...quantiles(taken), busy, faults: faultsOf(open) };
}

/** Many tasks with 20 events a second and a reader each. */
async function manyTasks(bench: Bench): Promise<void> {
  const { server, seconds, rounds } = bench;
  const tasks = scaled(bench, 500);
  const perSecond = 20;
  const runs: Latencies[] = [];
  for (let round = 0; round < rounds; round++) {
    const ids = await Promise.all(Array.from({ length: tasks }, () => createTask(server.url)));
    const taken: number[] = [];
    const open = await openReaders(tasks, (i) => `${server.url}/tasks/${ids[i]}/events`, {
      bufferBytes: 8 * 1024,
      onEvent: (line) => note(line, taken),
    });
    const { busy } = await watchBusy(server, () =>
      Promise.all(ids.map(async (id, n) => {
        // Spread over the period, so that not all publish in the same instant.
        await wait(1000 / perSecond * n / tasks);
        for (let i = 0; i < perSecond * seconds; i++) {
          const startedMs = performance.now();
          await post(`${server.url}/tasks/${id}/events`, tick());
          await wait(Math.max(0, 1000 / perSecond - (performance.now() - startedMs)));
        }
        await endTask(server.url, id);
      })));
    await Promise.all(open.map(({ ended }) => ended));
    runs.push({ ...quantiles(taken), busy });
  }
  bench.report({
    scenario: `latency, ${tasks} tasks × ${perSecond} events/s with a reader each, p99`,
    unit: "ms",
    value: median(runs.map(({ p99 }) => p99)),
    rounds,
    p50Ms: median(runs.map(({ p50 }) => p50)),
    p99Ms: median(runs.map(({ p99 }) => p99)),
    maxMs: Math.max(...runs.map(({ max }) => max)),
    ...runs.at(-1)!.busy,
  });
}

/** An event that says when it was sent. */
function tick(): Record<string, unknown> {
  return { type: "tick", data: { at: now() } };
}

/** Unix milliseconds and what is between them. */
function now(): number {
  return performance.timeOrigin + performance.now();
}

/** Notes how long an event took that says when it was sent. */
function note(line: Uint8Array, taken: number[]): void {
  const at = /"at":([\d.]+)/.exec(decoder.decode(line))?.[1];
  if (at !== undefined) taken.push(now() - Number(at));
}

function quantiles(values: readonly number[]): { p50: number; p99: number; max: number } {
  return { p50: quantile(values, 0.5), p99: quantile(values, 0.99), max: quantile(values, 1) };
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
