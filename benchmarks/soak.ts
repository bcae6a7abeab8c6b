// Half an hour at half load, with readers and tasks that come and go and rules that clean up: what
// grows, and what gets slower? And what is left in the server's heap when all have gone?
//
//   deno task bench:soak [--minutes 30] [--storage memory] [--rate 2000] [--out benchmarks/results]
import { parseArgs } from "node:util";
import { countListeners } from "./harness/heap_listeners.ts";
import type { HeapKind } from "./harness/heap_snapshot.ts";
import { grownKinds, heapKinds, takeHeapSnapshot } from "./harness/heap_snapshot.ts";
import { countTimers } from "./harness/heap_timers.ts";
import { SoakLoad } from "./harness/soak_load.ts";
import { quantile, rounded } from "./harness/measure.ts";
import { watchUsage } from "./harness/processes.ts";
import { startTaskcast } from "./harness/server.ts";
import { openStorage } from "./harness/storages.ts";

const HELP = `Loads a server for long and prints a line of JSON every ten seconds.

  deno task bench:soak [options]

  --minutes N       Default: 30
  --storage NAME    memory, sqlite, redis, postgres, redis+postgres. Default: memory
  --rate N          events a second over all tasks. Default: 2000
  --tasks N         live tasks at a time, each replaced when it ends. Default: 100
  --readers N       readers at a time, each replaced after a while. Default: 200
  --warm-up N       minutes of load before, behind which the heap is looked at for the first time.
                    Default: 1
  --out FOLDER      writes soak-STORAGE.jsonl there, too, for bench:report
`;

const { values } = parseArgs({
  args: Deno.args,
  options: {
    minutes: { type: "string", default: "30" },
    storage: { type: "string", default: "memory" },
    rate: { type: "string", default: "2000" },
    tasks: { type: "string", default: "100" },
    readers: { type: "string", default: "200" },
    "warm-up": { type: "string", default: "1" },
    out: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(HELP);
  Deno.exit(0);
}

const SAMPLE_MS = 10_000;
const MIB = 1024 * 1024;
/** Ended tasks are gone by then. */
const CLEANED_MS = 90_000;
/**
 * More objects of a kind than this are a leak: a timer, a listener or a closure that each of many
 * thousands of readers, requests or tasks leaves behind is far above it, and what is kept by design
 * (sums of metrics, a name of a class, the last few of something) far below.
 */
const LEAK_OBJECTS = 500;
/** More timers or listeners than this are a leak: what is kept by design has none. */
const LEAK_TIMERS = 20;

/** What should not grow with what has been done. */
interface HeapCount {
  kinds: ReadonlyMap<string, HeapKind>;
  timers: number;
  listeners: number;
}

/** Ended tasks go a minute after their end, so that what is kept stays the same. */
const CONFIG = {
  cleanup: {
    rules: [{ name: "soak", trigger: { afterMs: 60_000 }, target: "all" }],
  },
};

await using kept = await openStorage(values.storage);
const folder = await Deno.makeTempDir();
const configFile = `${folder}/taskcast.config.json`;
await Deno.writeTextFile(configFile, JSON.stringify(CONFIG));
// The inspector is asked only when all is quiet.
await using server = await startTaskcast(["--config", configFile, ...kept.args], { inspect: true });
const options = {
  eventsPerSecond: Number(values.rate),
  tasks: Number(values.tasks),
  readers: Number(values.readers),
};
let load = new SoakLoad(server.url, options);
const file = values.out === undefined ? undefined : `${values.out}/soak-${values.storage}.jsonl`;
if (file !== undefined) {
  await Deno.mkdir(values.out!, { recursive: true });
  await Deno.writeTextFile(file, "");
}
const say = (line: Record<string, unknown>) => {
  const text = JSON.stringify(
    { storage: values.storage, ...line },
    (_, value) => typeof value === "number" ? rounded(value) : value,
  );
  console.log(text);
  if (file !== undefined) Deno.writeTextFileSync(file, text + "\n", { append: true });
};

load.start();
await wait(60_000 * Number(values["warm-up"]));
const before = await quietHeap();
load = new SoakLoad(server.url, options);

const startedMs = performance.now();
const endMs = startedMs + 60_000 * Number(values.minutes);
load.start();
while (performance.now() < endMs) {
  const { usage: { serverCpu, clientCpu } } = await watchUsage(server, () => wait(SAMPLE_MS));
  say({ ...await sample(), serverCpu, clientCpu });
}
// Everything that the load held goes; what is left of it in the server would be a leak.
const after = await quietHeap();
const grown = grownKinds(before.kinds, after.kinds, LEAK_OBJECTS / 10);
const leaked = grown.filter(({ objects }) => objects >= LEAK_OBJECTS);
const leakedTimers = after.timers - before.timers;
const leakedListeners = after.listeners - before.listeners;
say({
  afterwards: true,
  ...await sample(),
  leakedObjects: leaked.reduce((sum, { objects }) => sum + objects, 0),
  leakedTimers,
  leakedListeners,
  grownKinds: Object.fromEntries(grown.map(({ kind, objects }) => [kind, objects])),
});
console.error(
  `More objects in the heap than before (${LEAK_OBJECTS} of a kind are a leak): ${
    grown.map(({ kind, objects }) => `${kind} ${objects}`).join(", ") || "none"
  }`,
);
await Deno.remove(folder, { recursive: true });
if (leaked.length > 0 || leakedTimers > LEAK_TIMERS || leakedListeners > LEAK_TIMERS) {
  console.error("The server leaks");
  Deno.exitCode = 1;
}

/** Ends the load, waits until its tasks are cleaned up, and counts what is in the heap. */
async function quietHeap(): Promise<HeapCount> {
  await load.stop();
  const untilMs = performance.now() + CLEANED_MS;
  do await wait(1_000); while (await hasTasks() && performance.now() < untilMs);
  await metricsOf(server.url); // So that what is loaded to tell them is there from the first time on.
  const heap = await takeHeapSnapshot(server.inspectorUrl!);
  return { kinds: heapKinds(heap), timers: countTimers(heap), listeners: countListeners(heap) };
}

/** Whether there are tasks, be it ended ones. */
async function hasTasks(): Promise<boolean> {
  const { tasks } = await (await fetch(`${server.url}/tasks?limit=1`)).json();
  return tasks.length > 0;
}

async function sample(): Promise<Record<string, unknown>> {
  const { publishMs, deliveryMs, ...counts } = load.take();
  const metrics = await metricsOf(server.url);
  return {
    atSeconds: Math.round((performance.now() - startedMs) / 1000),
    ...counts,
    publishP50Ms: quantile(publishMs, 0.5),
    publishP99Ms: quantile(publishMs, 0.99),
    deliveryP50Ms: quantile(deliveryMs, 0.5),
    deliveryP99Ms: quantile(deliveryMs, 0.99),
    rssMiB: (await server.rss() ?? NaN) / MIB,
    heapMiB: (metrics.process_heap_used_bytes ?? NaN) / MIB,
    streams: metrics.taskcast_streams,
    tails: metrics.taskcast_followed_tasks,
    tailKiB: (metrics.taskcast_tail_bytes ?? NaN) / 1024,
    viewKiB: (metrics.taskcast_view_bytes ?? NaN) / 1024,
    tasksCleaned: metrics.taskcast_tasks_cleaned_total,
  };
}

/** The metrics without labels. */
async function metricsOf(url: string): Promise<Record<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const lines = text.matchAll(/^(\w+) (\S+)$/gm);
  return Object.fromEntries(Array.from(lines, ([, name, value]) => [name!, Number(value)]));
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
