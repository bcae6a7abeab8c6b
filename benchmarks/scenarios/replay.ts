import { endTask, fillTask } from "../harness/api.ts";
import type { Bench } from "../harness/bench.ts";
import { scaled } from "../harness/bench.ts";
import { plainEvent, tokenEvent } from "../harness/events.ts";
import { ErrorCount } from "../harness/error_count.ts";
import type { Faults } from "../harness/frame_check.ts";
import { inTurns, latenciesOf, median } from "../harness/measure.ts";
import type { Usage } from "../harness/processes.ts";
import { usageOf, watchUsage } from "../harness/processes.ts";
import type { Server } from "../harness/server.ts";
import { faultsOf, readSse } from "../harness/sse_reader.ts";

/** Repetitions in a round, one after the other. */
const REPLAYS = 10;
const JOINS = 50;
/** Bytes that each token adds to the text. */
const TOKEN_BYTES = "token0 ".length;

/** Outcome of a round. */
interface Run {
  /** Repetitions that succeeded. */
  done: Done[];
  errors: number;
  usage: Usage;
}

interface Done {
  ms: number;
  /** Milliseconds until the first bytes. */
  firstMs: number;
  /** Bytes of the joined text. */
  bytes: number;
  faults: Faults;
}

/** Measures the replay of an ended task, and late joins to a text. */
export async function replay(bench: Bench): Promise<void> {
  const { server, rounds, storage } = bench;
  const inMemory = storage === "memory";
  const count = scaled(bench, 50_000);
  const plain = await fillTask(server.url, count, plainEvent);
  await endTask(server.url, plain);
  const series = await fillTask(server.url, count, tokenEvent);
  const streamOf = (id: string) => `${server.url}/tasks/${id}/events`;
  const kinds = {
    replays: () => repeat(server, REPLAYS, () => replayOnce(streamOf(plain), count)),
    joins: () => repeat(server, JOINS, () => joinOnce(streamOf(series), count)),
  };
  // Warm-up: neither is measured before it is compiled.
  const [firstReplay, firstJoin] = [await kinds.replays(), await kinds.joins()];
  const { replays, joins } = await inTurns(rounds, kinds);
  const [replayMs, joinMs] = [latenciesOf(replays.map(msOf)), latenciesOf(joins.map(msOf))];
  bench.report({
    scenario: `replay of ${count} events`,
    unit: "events/s",
    value: count / (replayMs.p50Ms / 1000),
    ...inMemory ? { target: 300_000, targetIs: "at least" as const } : {},
    rounds,
    ...replayMs,
    ...detailsOf(replays),
    coldMs: firstReplay.done[0]?.ms,
  });
  bench.report({
    scenario: `late join to a series of ${count} deltas, whole text`,
    unit: "ms",
    value: joinMs.p50Ms,
    ...inMemory ? { target: 10, targetIs: "at most" as const } : {},
    rounds,
    ...joinMs,
    ...detailsOf(joins),
    coldMs: firstJoin.done[0]?.ms,
    bytes: joins[0]!.done[0]?.bytes,
  });
}

function msOf({ done }: Run): number[] {
  return done.map(({ ms }) => ms);
}

/** Returns the figures of all rounds except their times. */
function detailsOf(runs: readonly Run[]): Record<string, unknown> {
  return {
    firstByteMs: median(runs.flatMap(({ done }) => done.map(({ firstMs }) => firstMs))),
    errors: runs.reduce((sum, { errors }) => sum + errors, 0),
    ...faultsOf(runs.flatMap(({ done }) => done)),
    ...usageOf(runs),
  };
}

async function repeat(server: Server, times: number, work: () => Promise<Done>): Promise<Run> {
  const errors = new ErrorCount();
  const { value: done, usage } = await watchUsage(server, async () => {
    const done: Done[] = [];
    for (let i = 0; i < times; i++) {
      const one = await errors.watch(work());
      if (one !== undefined) done.push(one);
    }
    return done;
  });
  return { done, errors: errors.count, usage };
}

/** Reads an ended task to its end. */
async function replayOnce(url: string, count: number): Promise<Done> {
  const startedMs = performance.now();
  const reader = readSse(url);
  await reader.opened;
  const firstMs = performance.now() - startedMs;
  await reader.ended;
  const ms = performance.now() - startedMs;
  if (reader.events < count || !reader.done) {
    throw new Error(`a replay had ${reader.events} of ${count} events, end: ${reader.done}`);
  }
  return { ms, firstMs, bytes: 0, faults: reader.faults };
}

/** Joins a live task and waits for its text. */
async function joinOnce(url: string, count: number): Promise<Done> {
  const snapshot = Promise.withResolvers<number>();
  const startedMs = performance.now();
  const reader = readSse(url, {
    // One event stands for all; noting each of the others as skipped took longer than the join.
    first: count - 1,
    onEvent: (line) => snapshot.resolve(line.length),
  });
  reader.ended.then(() => snapshot.reject(new Error(`${url} ended`)), snapshot.reject);
  const opened = reader.opened.then(() => performance.now());
  const [openedMs, bytes] = await Promise.all([opened, snapshot.promise]);
  const ms = performance.now() - startedMs;
  const firstMs = openedMs - startedMs;
  reader.close();
  if (bytes < count * TOKEN_BYTES) throw new Error(`a text of ${count} tokens had ${bytes} bytes`);
  return { ms, firstMs, bytes, faults: reader.faults };
}
