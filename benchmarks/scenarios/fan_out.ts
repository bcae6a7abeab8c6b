import { createTask, endTask, post } from "../harness/api.ts";
import type { Bench } from "../harness/bench.ts";
import { scaledReaders } from "../harness/bench.ts";
import { batchOf, plainEvent, tokenEvent } from "../harness/events.ts";
import { ErrorCount } from "../harness/error_count.ts";
import type { Faults } from "../harness/frame_check.ts";
import { inTurns, latenciesOf, median, quantile, ratioOf } from "../harness/measure.ts";
import type { Usage } from "../harness/processes.ts";
import { usageOf, watchUsage } from "../harness/processes.ts";
import { noteDelay, nowMs } from "../harness/sent_at.ts";
import type { Server } from "../harness/server.ts";
import type { SseReader } from "../harness/sse_reader.ts";
import { faultsOf, openReaders } from "../harness/sse_reader.ts";

/** Readers and events, so that about as much is delivered each time. */
const SIZES = [[1, 100_000], [50, 40_000], [200, 10_000], [500, 4_000], [2_000, 1_000]] as const;
/** Bursts under way at a time, enough to make the sockets the bottleneck. */
const PUBLISHERS = 4;
/** Single events for each one that is timed; more would make the client the bottleneck. */
const TIMED_SINGLES = 10;

/** Both ends of a stream. */
interface Stream {
  server: Server;
  makeEvent: (i: number) => Record<string, unknown>;
  streamUrl: string;
  publish: (events: Record<string, unknown>[]) => Promise<void>;
  end: () => Promise<void>;
}

interface Delivered {
  deliveriesPerSecond: number;
  /** Milliseconds from publisher to each reader's socket, for the last event of each burst. */
  tookMs: number[];
  usage: Usage;
  faults: Faults;
  /** Failed requests, and readers that did not get everything. */
  errors: number;
  /** Milliseconds between the first and the last reader that had everything. */
  spreadMs: number;
}

/** Measures bursts of 100 events, several under way at a time, which the sockets limit. */
export async function fanOut(bench: Bench): Promise<void> {
  for (const [fullReaders, full] of SIZES) {
    const readers = scaledReaders(bench, fullReaders);
    // At least one burst for each publisher.
    const events = Math.max(100 * PUBLISHERS, Math.ceil(full * bench.scale / 100) * 100);
    const run = async (open: () => Promise<Stream>) =>
      await deliver(await open(), { readers, events, burst: 100, publishers: PUBLISHERS });
    const runs = await inTurns(bench.rounds, {
      bare: () => run(() => bareStream(bench)),
      plain: () => run(() => taskStream(bench, plainEvent)),
      accumulate: () => run(() => taskStream(bench, tokenEvent)),
    });
    for (const kind of ["plain", "accumulate"] as const) {
      report(bench, {
        scenario: `fan-out to ${readers} reader(s), bursts, ${kind}`,
        ours: runs[kind],
        theirs: runs.bare,
        baselineName: "one shared chunk a burst into every stream, without a bound",
        ...fullReaders === 200
          ? { target: 1_000_000 }
          : fullReaders === 2_000
          ? { target: 500_000 }
          : {},
      });
    }
  }
}

/** Measures single events, one after the other, where the producer is the bottleneck. */
export async function fanOutSingles(bench: Bench): Promise<void> {
  await using bareOnNode = await bench.startAnotherBare("node");
  for (const [fullReaders, full] of [[50, 1_000], [200, 500], [2_000, 60]] as const) {
    const readers = scaledReaders(bench, fullReaders);
    const events = Math.max(20, Math.ceil(full * bench.scale));
    const run = async (open: () => Promise<Stream>) =>
      await deliver(await open(), { readers, events, burst: 1, publishers: 1 });
    const runs = await inTurns(bench.rounds, {
      bare: () => run(() => bareStream(bench)),
      onNode: () => run(() => bareStream({ bare: bareOnNode })),
      plain: () => run(() => taskStream(bench, plainEvent)),
    });
    report(bench, {
      scenario: `fan-out to ${readers} readers, one event after the other`,
      ours: runs.plain,
      theirs: runs.bare,
      onNode: runs.onNode,
      baselineName: "one shared chunk an event into every stream",
      target: 1,
      targetIs: "ratio at least",
    });
  }
}

function report(
  { report, rounds }: Bench,
  { scenario, ours, theirs, onNode, baselineName, target, targetIs = "at least" }: {
    scenario: string;
    ours: Delivered[];
    theirs: Delivered[];
    /** Deliveries of a bare server on `node:http`. */
    onNode?: Delivered[];
    baselineName: string;
    target?: number;
    targetIs?: "at least" | "ratio at least";
  },
): void {
  const rates = (of: Delivered[]) => of.map(({ deliveriesPerSecond }) => deliveriesPerSecond);
  const latencies = (of: Delivered[]) => latenciesOf(of.map(({ tookMs }) => tookMs));
  const [bareLatencies, bareUsage] = [latencies(theirs), usageOf(theirs)];
  report({
    scenario,
    unit: "deliveries/s",
    value: median(rates(ours)),
    baseline: median(rates(theirs)),
    baselineName,
    ratio: ratioOf(rates(ours), rates(theirs)),
    ...onNode === undefined ? {} : { ratioOnNode: ratioOf(rates(ours), rates(onNode)) },
    ...target === undefined ? {} : { target, targetIs },
    rounds,
    ...latencies(ours),
    bareP50Ms: bareLatencies.p50Ms,
    bareP99Ms: bareLatencies.p99Ms,
    errors: [...ours, ...theirs].reduce((sum, { errors }) => sum + errors, 0),
    ...faultsOf(ours),
    spreadMs: median(ours.map(({ spreadMs }) => spreadMs)),
    ...usageOf(ours),
    bareServerCpu: bareUsage.serverCpu,
    bareClientCpu: bareUsage.clientCpu,
  });
}

function bareStream({ bare }: Pick<Bench, "bare">): Promise<Stream> {
  return Promise.resolve({
    server: bare,
    makeEvent: plainEvent,
    streamUrl: `${bare.url}/events`,
    publish: (events) => post(`${bare.url}/events`, events),
    end: async () => {
      await (await fetch(`${bare.url}/events`, { method: "DELETE" })).body?.cancel();
    },
  });
}

async function taskStream(
  { server }: Bench,
  makeEvent: (i: number) => Record<string, unknown>,
): Promise<Stream> {
  const id = await createTask(server.url);
  const url = `${server.url}/tasks/${id}/events`;
  return {
    server,
    makeEvent,
    streamUrl: url,
    publish: (events) => post(url, events.length === 1 ? events[0] : events),
    end: () => endTask(server.url, id),
  };
}

async function deliver(
  { server, makeEvent, streamUrl, publish, end }: Stream,
  { readers, events, burst, publishers }: {
    readers: number;
    events: number;
    burst: number;
    publishers: number;
  },
): Promise<Delivered> {
  const endedMs: number[] = [];
  const tookMs: number[] = [];
  const errors = new ErrorCount();
  const open = await openReaders(readers, () => streamUrl, {
    bufferBytes: 32 * 1024,
    // A burst is one commit, so each ends at such a number, in whatever order they arrived.
    every: Math.max(burst, TIMED_SINGLES),
    onEvent: (line) => noteDelay(line, tookMs),
  });
  const readAll = async (reader: SseReader) => {
    await reader.ended;
    endedMs.push(performance.now());
    if (reader.events < events || !reader.done) {
      throw new Error(`a reader got ${reader.events} of ${events} events, end: ${reader.done}`);
    }
  };
  const reading = open.map((reader) => errors.watch(readAll(reader)));
  const { value: seconds, usage } = await watchUsage(server, async () => {
    const startedMs = performance.now();
    let at = 0;
    await Promise.all(Array.from({ length: publishers }, async () => {
      while (at < events) {
        const from = at;
        at += burst;
        await errors.watch(publish(burstOf(burst, makeEvent, from)));
      }
    }));
    await end();
    await Promise.all(reading);
    return (performance.now() - startedMs) / 1000;
  });
  return {
    deliveriesPerSecond: readers * events / seconds,
    tookMs,
    usage,
    faults: faultsOf(open),
    errors: errors.count,
    spreadMs: quantile(endedMs, 1) - quantile(endedMs, 0),
  };
}

/** Returns events, the last of which has the time of sending. */
function burstOf(
  length: number,
  makeEvent: (i: number) => Record<string, unknown>,
  from: number,
): Record<string, unknown>[] {
  const events = batchOf(length, makeEvent, from);
  const last = events.at(-1)!;
  last.data = { ...last.data as Record<string, unknown>, at: nowMs() };
  return events;
}
