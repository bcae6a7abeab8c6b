import { endTask, fillTask } from "../harness/api.ts";
import type { Bench } from "../harness/bench.ts";
import { scaled } from "../harness/bench.ts";
import { plainEvent, tokenEvent } from "../harness/events.ts";
import { inTurns, median } from "../harness/measure.ts";
import { readSse } from "../harness/sse_reader.ts";

/** Everything that there is of an ended task, and a text that is joined late. */
export async function replay(bench: Bench): Promise<void> {
  const { server, rounds, storage } = bench;
  const inMemory = storage === "memory";
  const count = scaled(bench, 50_000);
  const plain = await fillTask(server.url, count, plainEvent);
  await endTask(server.url, plain);
  const series = await fillTask(server.url, count, tokenEvent);
  const streamOf = (id: string) => `${server.url}/tasks/${id}/events`;
  await replayOnce(streamOf(plain), count);
  await joinOnce(streamOf(series));
  const { replays, joins } = await inTurns(rounds, {
    replays: async () => ({ ...await replayOnce(streamOf(plain), count), bytes: 0 }),
    joins: async () => await joinOnce(streamOf(series)),
  });
  bench.report({
    scenario: `replay of ${count} events`,
    unit: "events/s",
    value: median(replays.map(({ ms }) => count / (ms / 1000))),
    ...inMemory ? { target: 300_000, targetIs: "at least" as const } : {},
    rounds,
    firstByteMs: median(replays.map(({ firstMs }) => firstMs)),
  });
  bench.report({
    scenario: `late join to a series of ${count} deltas, whole text`,
    unit: "ms",
    value: median(joins.map(({ ms }) => ms)),
    ...inMemory ? { target: 10, targetIs: "at most" as const } : {},
    rounds,
    firstByteMs: median(joins.map(({ firstMs }) => firstMs)),
    bytes: joins[0]!.bytes,
  });
}

/** Reads all of an ended task. */
async function replayOnce(url: string, count: number): Promise<{ ms: number; firstMs: number }> {
  const startedMs = performance.now();
  const reader = readSse(url);
  await reader.opened;
  const firstMs = performance.now() - startedMs;
  await reader.ended;
  if (reader.events < count || reader.faults.missing + reader.faults.doubled > 0) {
    throw new Error(`a replay had ${reader.events} of ${count} events`);
  }
  return { ms: performance.now() - startedMs, firstMs };
}

/** Joins a live task, until its text is there. */
async function joinOnce(url: string): Promise<{ ms: number; firstMs: number; bytes: number }> {
  const snapshot = Promise.withResolvers<number>();
  const startedMs = performance.now();
  const reader = readSse(url, { onEvent: (line) => snapshot.resolve(line.length) });
  await reader.opened;
  const firstMs = performance.now() - startedMs;
  const bytes = await snapshot.promise;
  const ms = performance.now() - startedMs;
  reader.close();
  return { ms, firstMs, bytes };
}
