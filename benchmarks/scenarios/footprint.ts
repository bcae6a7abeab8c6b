import { createTask, fillTask, post } from "../harness/api.ts";
import type { Bench } from "../harness/bench.ts";
import { scaled } from "../harness/bench.ts";
import { batchOf } from "../harness/events.ts";
import { latenciesOf, median } from "../harness/measure.ts";
import type { Listener, Server } from "../harness/server.ts";
import type { SseReader } from "../harness/sse_reader.ts";
import { openReaders } from "../harness/sse_reader.ts";

const MIB = 1024 * 1024;
const KIB = 1024;

/** Measures start-up, and the memory of an idle server. */
export async function startup(bench: Bench): Promise<void> {
  const { startAnother, startAnotherBare, rounds } = bench;
  if (startAnother === undefined) return;
  const ours: { ms: number; rss: number }[] = [];
  const bare: { ms: number; rss: number }[] = [];
  // On the other listener.
  const bareOnNode: { ms: number; rss: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    for (
      const [start, into] of [
        [startAnother, ours],
        [startAnotherBare, bare],
        [() => startAnotherBare("node"), bareOnNode],
      ] as const
    ) {
      await using server = await start();
      into.push({ ms: server.startMs!, rss: await server.rss() ?? NaN });
    }
  }
  bench.report({
    scenario: "start-up to the first 200 on /health",
    unit: "ms",
    value: median(ours.map(({ ms }) => ms)),
    baseline: median(bare.map(({ ms }) => ms)),
    baselineName: "bare Hono server",
    target: 300,
    targetIs: "at most",
    rounds,
    ...latenciesOf([ours.map(({ ms }) => ms)]),
  });
  for (
    const [others, name] of [[bare, "a bare one"], [bareOnNode, "a bare one on node:http"]] as const
  ) {
    const overMiB = ours.map(({ rss }, round) => (rss - others[round]!.rss) / MIB);
    bench.report({
      scenario: `memory of an idle server beyond ${name}`,
      unit: "MiB",
      value: median(overMiB),
      baseline: median(others.map(({ rss }) => rss)) / MIB,
      baselineName: "bare Hono server",
      target: 40,
      targetIs: "at most",
      rounds,
      serverRssMiB: median(ours.map(({ rss }) => rss)) / MIB,
    });
  }
}

/** Measures the memory of waiting readers, with both HTTP servers of Deno. */
export async function idleReaders(bench: Bench): Promise<void> {
  for (const listener of ["node", "deno"] as const) await idleReadersOn(bench, listener);
}

async function idleReadersOn(bench: Bench, listener: Listener): Promise<void> {
  const { startAnother, startAnotherBare, report, rounds } = bench;
  if (startAnother === undefined) return;
  const counts = [2_000, 10_000].map((count) => scaled(bench, count)) as [number, number];
  const ours: number[][] = [];
  const bare: number[][] = [];
  const tookMs: number[][] = [];
  let rssMiB: number | undefined;
  for (let round = 0; round < rounds; round++) {
    // A fresh server, because used memory is not returned to the system.
    await using server = await startAnother(["--listener", listener]);
    const id = await createTask(server.url);
    const took: number[] = [];
    ours.push(await bytesOfReaders(server, `${server.url}/tasks/${id}/events`, counts, took));
    tookMs.push(took);
    rssMiB = (await server.rss() ?? NaN) / MIB;
    await using other = await startAnotherBare(listener);
    bare.push(await bytesOfReaders(other, `${other.url}/events`, counts));
  }
  const [few, many] = counts;
  const ofMany = `of ${many}`;
  const shares: [name: string, readers: number, of: (bytes: number[]) => number][] = [
    [`of ${few}`, few, ([atFew]) => atFew!],
    [ofMany, many, ([, atMany]) => atMany!],
    // Without the initial growth of the heap.
    [`each after ${few}, to ${many}`, many - few, ([atFew, atMany]) => atMany! - atFew!],
  ];
  for (const [name, readers, of] of shares) {
    const perReader = (bytes: number[]) => of(bytes) / readers / KIB;
    report({
      scenario: `memory of an idle reader, ${name}, listener ${listener}`,
      unit: "KiB",
      value: median(ours.map(perReader)),
      baseline: median(bare.map(perReader)),
      baselineName: "a bare stream of the same listener",
      rounds,
      ...latenciesOf(tookMs),
      serverRssMiB: rssMiB,
    });
    report({
      scenario: `memory of an idle reader beyond a bare stream, ${name}, listener ${listener}`,
      unit: "KiB",
      value: median(ours.map((bytes, round) => perReader(bytes) - perReader(bare[round]!))),
      // With few readers, the initial growth of the heap is more than they hold.
      ...name === ofMany ? { target: 6, targetIs: "at most" as const } : {},
      rounds,
    });
  }
}

/**
 * Returns the bytes that each reader adds to a server, for a few readers and for many.
 *
 * @param tookMs Gets the milliseconds that it took to open each.
 */
async function bytesOfReaders(
  server: Server,
  url: string,
  counts: readonly number[],
  tookMs?: number[],
): Promise<number[]> {
  const open = (count: number) => openReaders(count, () => url, { bufferBytes: 1024, tookMs });
  // The first readers load code and grow the heap.
  for (const reader of await open(200)) reader.close();
  const before = await server.rss() ?? NaN;
  const readers: SseReader[] = [];
  const bytes: number[] = [];
  for (const count of counts) {
    readers.push(...await open(count - readers.length));
    bytes.push((await server.rss() ?? NaN) - before);
  }
  for (const reader of readers) reader.close();
  await Promise.allSettled(readers.map(({ ended }) => ended));
  return bytes;
}

/** Measures the memory of a stored event. */
export async function storedEvents(bench: Bench): Promise<void> {
  const { startAnother, storage, rounds } = bench;
  if (startAnother === undefined || storage !== "memory") return;
  const tasks = scaled(bench, 200);
  const eventsPerTask = 5_000;
  // 200 bytes of JSON, as a producer sends it.
  const event = () => ({ type: "bench.step", data: { text: "x".repeat(155) } });
  const bytes: number[] = [];
  const tookMs: number[][] = [];
  for (let round = 0; round < rounds; round++) {
    await using server = await startAnother();
    await fillTask(server.url, eventsPerTask, event); // Warm-up.
    const before = await server.rss() ?? NaN;
    const took: number[] = [];
    for (let n = 0; n < tasks; n++) {
      const id = await createTask(server.url);
      for (let at = 0; at < eventsPerTask; at += 500) {
        const startedMs = performance.now();
        await post(`${server.url}/tasks/${id}/events`, batchOf(500, event));
        took.push(performance.now() - startedMs);
      }
    }
    tookMs.push(took);
    bytes.push((await server.rss() ?? NaN) - before);
  }
  bench.report({
    scenario: `memory of a stored event of 200 bytes, of ${tasks * eventsPerTask}`,
    unit: "bytes",
    value: median(bytes) / (tasks * eventsPerTask),
    target: 600,
    targetIs: "at most",
    rounds,
    ...latenciesOf(tookMs),
  });
}
