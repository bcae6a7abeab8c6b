import { createTask, endTask, post } from "../harness/api.ts";
import type { Bench } from "../harness/bench.ts";
import { batchOf, plainEvent, tokenEvent } from "../harness/events.ts";
import type { Faults } from "../harness/frame_check.ts";
import { inTurns, median, quantile, ratioOf } from "../harness/measure.ts";
import type { Busy } from "../harness/processes.ts";
import { watchBusy } from "../harness/processes.ts";
import type { Server } from "../harness/server.ts";
import { faultsOf, openReaders } from "../harness/sse_reader.ts";

/** Readers, and events so that about as much is delivered each time. */
const SIZES = [[1, 100_000], [50, 40_000], [200, 10_000], [500, 4_000], [2_000, 1_000]] as const;
/** Requests with a burst each that are on their way at a time: sockets are the slower side. */
const PUBLISHERS = 4;

/** Where a burst goes and where it comes out. */
interface Stream {
  server: Server;
  streamUrl: string;
  publish: (from: number, length: number) => Promise<void>;
  end: () => Promise<void>;
}

interface Delivered extends Faults {
  deliveriesPerSecond: number;
  busy: Busy;
  /** Of the last event at the reader who was last, less than that of the first who had it. */
  spreadMs: number;
}

/** Bursts of 100 events, sent while those before are on their way: what sockets can take. */
export async function fanOut(bench: Bench): Promise<void> {
  for (const [readers, full] of SIZES) {
    // At least some bursts of each publisher.
    const events = Math.max(1_000, Math.ceil(full * bench.scale / 100) * 100);
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
        ...readers === 200 ? { target: 1_000_000 } : readers === 2_000 ? { target: 500_000 } : {},
      });
    }
  }
}

/** One event at a time, each after the one before: sockets are faster than the producer. */
export async function fanOutSingles(bench: Bench): Promise<void> {
  for (const [readers, full] of [[50, 1_000], [200, 500], [2_000, 60]] as const) {
    const events = Math.max(20, Math.ceil(full * bench.scale));
    const run = async (open: () => Promise<Stream>) =>
      await deliver(await open(), { readers, events, burst: 1, publishers: 1 });
    const runs = await inTurns(bench.rounds, {
      bare: () => run(() => bareStream(bench)),
      plain: () => run(() => taskStream(bench, plainEvent)),
    });
    report(bench, {
      scenario: `fan-out to ${readers} readers, one event after the other`,
      ours: runs.plain,
      theirs: runs.bare,
      baselineName: "one shared chunk an event into every stream",
      target: 1,
      targetIs: "ratio at least",
    });
  }
}

function report(
  { report, rounds }: Bench,
  { scenario, ours, theirs, baselineName, target, targetIs = "at least" }: {
    scenario: string;
    ours: Delivered[];
    theirs: Delivered[];
    baselineName: string;
    target?: number;
    targetIs?: "at least" | "ratio at least";
  },
): void {
  const rates = (of: Delivered[]) => of.map(({ deliveriesPerSecond }) => deliveriesPerSecond);
  const sum = (fault: keyof Faults) => ours.reduce((sum, run) => sum + run[fault], 0);
  const cpu = (of: Delivered[], side: keyof Busy) =>
    median(of.map(({ busy }) => busy[side] ?? NaN));
  report({
    scenario,
    unit: "deliveries/s",
    value: median(rates(ours)),
    baseline: median(rates(theirs)),
    baselineName,
    ratio: ratioOf(rates(ours), rates(theirs)),
    ...target === undefined ? {} : { target, targetIs },
    rounds,
    missing: sum("missing"),
    doubled: sum("doubled"),
    outOfOrder: sum("outOfOrder"),
    spreadMs: median(ours.map(({ spreadMs }) => spreadMs)),
    serverCpu: cpu(ours, "serverCpu"),
    clientCpu: cpu(ours, "clientCpu"),
    bareServerCpu: cpu(theirs, "serverCpu"),
    bareClientCpu: cpu(theirs, "clientCpu"),
  });
}

function bareStream({ bare }: Bench): Promise<Stream> {
  return Promise.resolve({
    server: bare,
    streamUrl: `${bare.url}/events`,
    publish: (from, length) => post(`${bare.url}/events`, batchOf(length, plainEvent, from)),
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
    streamUrl: url,
    publish: (from, length) =>
      post(url, length === 1 ? makeEvent(from) : batchOf(length, makeEvent, from)),
    end: () => endTask(server.url, id),
  };
}

async function deliver(
  { server, streamUrl, publish, end }: Stream,
  { readers, events, burst, publishers }: {
    readers: number;
    events: number;
    burst: number;
    publishers: number;
  },
): Promise<Delivered> {
  const endedMs: number[] = [];
  const open = await openReaders(readers, () => streamUrl, { bufferBytes: 32 * 1024 });
  const reading = open.map(async ({ ended }) => {
    await ended;
    endedMs.push(performance.now());
  });
  const { value: seconds, busy } = await watchBusy(server, async () => {
    const startedMs = performance.now();
    let at = 0;
    await Promise.all(Array.from({ length: publishers }, async () => {
      while (at < events) {
        const from = at;
        at += burst;
        await publish(from, burst);
      }
    }));
    await end();
    await Promise.all(reading);
    return (performance.now() - startedMs) / 1000;
  });
  for (const reader of open) {
    if (reader.events < events || !reader.done) {
      throw new Error(`a reader got ${reader.events} of ${events} events, end: ${reader.done}`);
    }
  }
  return {
    deliveriesPerSecond: readers * events / seconds,
    busy,
    spreadMs: quantile(endedMs, 1) - quantile(endedMs, 0),
    ...faultsOf(open),
  };
}
