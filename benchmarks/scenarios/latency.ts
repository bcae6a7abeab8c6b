import { createTask, endTask, post } from "../harness/api.ts";
import type { Bench } from "../harness/bench.ts";
import { scaled, scaledReaders } from "../harness/bench.ts";
import { ErrorCount } from "../harness/error_count.ts";
import type { Faults } from "../harness/frame_check.ts";
import { latenciesOf, pause } from "../harness/measure.ts";
import type { Usage } from "../harness/processes.ts";
import { usageOf, watchUsage } from "../harness/processes.ts";
import { noteDelay, nowMs } from "../harness/sent_at.ts";
import { faultsOf, openReaders } from "../harness/sse_reader.ts";

/** Measures publisher to reader's socket, at half of the highest rate. */
export async function latency(bench: Bench): Promise<void> {
  for (const [fullReaders, p99Ms] of [[100, 10], [2_000, 50]] as const) {
    const readers = scaledReaders(bench, fullReaders);
    const highest = await highestRate(bench, readers);
    const perSecond = highest / 2;
    const runs: Run[] = [];
    for (let round = 0; round < bench.rounds; round++) {
      runs.push(await oneTask(bench, { readers, perSecond, seconds: bench.seconds }));
    }
    const latencies = latenciesOf(runs.map(({ tookMs }) => tookMs));
    bench.report({
      scenario: `latency to ${readers} readers at half of the highest rate, p99`,
      unit: "ms",
      value: latencies.p99Ms,
      target: p99Ms,
      targetIs: "at most",
      rounds: bench.rounds,
      ...latencies,
      ...detailsOf(runs),
      eventsPerSecond: perSecond,
      deliveriesPerSecond: perSecond * readers,
    });
  }
  await manyTasks(bench);
}

/** Outcome of a round. */
interface Run {
  /** Latency of each delivery. */
  tookMs: number[];
  errors: number;
  faults: Faults;
  usage: Usage;
}

/** Returns the figures of all rounds except latencies. */
function detailsOf(runs: readonly Run[]): Record<string, unknown> {
  return {
    maxMs: runs.reduce((max, { tookMs }) => tookMs.reduce((a, b) => Math.max(a, b), max), 0),
    errors: runs.reduce((sum, { errors }) => sum + errors, 0),
    ...faultsOf(runs),
    ...usageOf(runs),
  };
}

/** Measures single events a second, each sent when the previous one has reached all readers. */
async function highestRate({ server, seconds }: Bench, readers: number): Promise<number> {
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
  while (performance.now() - startedMs < Math.min(2_000, 1_000 * seconds)) {
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
): Promise<Run> {
  const id = await createTask(server.url);
  const url = `${server.url}/tasks/${id}/events`;
  const tookMs: number[] = [];
  const errors = new ErrorCount();
  const open = await openReaders(readers, () => url, {
    bufferBytes: 8 * 1024,
    onEvent: (line) => noteDelay(line, tookMs),
  });
  const { usage } = await watchUsage(server, async () => {
    const startedMs = performance.now();
    const count = Math.max(10, Math.floor(perSecond * seconds));
    const sent: Promise<unknown>[] = [];
    for (let i = 0; i < count; i++) {
      const waitMs = startedMs + 1000 * i / perSecond - performance.now();
      if (waitMs > 0) await pause(waitMs);
      // Not awaited, because a publisher that waits would hide late deliveries.
      sent.push(errors.watch(post(url, tick())));
    }
    await Promise.all(sent);
    await endTask(server.url, id);
    await Promise.all(open.map(({ ended }) => errors.watch(ended)));
  });
  return { tookMs, errors: errors.count, faults: faultsOf(open), usage };
}

/** Measures many tasks with 20 events a second and a reader each. */
async function manyTasks(bench: Bench): Promise<void> {
  const { server, seconds, rounds } = bench;
  const tasks = scaled(bench, 500);
  const perSecond = 20;
  const runs: Run[] = [];
  for (let round = 0; round < rounds; round++) {
    const ids = await Promise.all(Array.from({ length: tasks }, () => createTask(server.url)));
    const tookMs: number[] = [];
    const errors = new ErrorCount();
    const open = await openReaders(tasks, (i) => `${server.url}/tasks/${ids[i]}/events`, {
      bufferBytes: 8 * 1024,
      onEvent: (line) => noteDelay(line, tookMs),
    });
    const { usage } = await watchUsage(server, () =>
      Promise.all(ids.map(async (id, n) => {
        // Spreads the publishers over the period.
        await pause(1000 / perSecond * n / tasks);
        for (let i = 0; i < perSecond * seconds; i++) {
          const startedMs = performance.now();
          await errors.watch(post(`${server.url}/tasks/${id}/events`, tick()));
          await pause(Math.max(0, 1000 / perSecond - (performance.now() - startedMs)));
        }
        await endTask(server.url, id);
      })));
    await Promise.all(open.map(({ ended }) => errors.watch(ended)));
    runs.push({ tookMs, errors: errors.count, faults: faultsOf(open), usage });
  }
  const latencies = latenciesOf(runs.map(({ tookMs }) => tookMs));
  bench.report({
    scenario: `latency, ${tasks} tasks × ${perSecond} events/s with a reader each, p99`,
    unit: "ms",
    value: latencies.p99Ms,
    rounds,
    ...latencies,
    ...detailsOf(runs),
  });
}

/** Returns an event with its time of sending. */
function tick(): Record<string, unknown> {
  return { type: "tick", data: { at: nowMs() } };
}
