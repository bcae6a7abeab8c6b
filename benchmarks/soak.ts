// Half an hour at half load, with readers and tasks that come and go, and clean-up rules. Shows
// growth of memory and latency, and what is left in the heap afterwards.
//
//   deno task bench:soak [--minutes 30] [--storage memory] [--rate 2000] [--out FILE]
import { parseArgs } from "node:util";
import { Inspector } from "./harness/inspector.ts";
import { median, pause, quantile, rounded } from "./harness/measure.ts";
import { watchUsage } from "./harness/processes.ts";
import { resultWriter } from "./harness/result.ts";
import { startTaskcast } from "./harness/server.ts";
import { SoakLoad } from "./harness/soak_load.ts";
import { openStorage } from "./harness/storages.ts";

const HELP =
  `Loads a server for long. Prints a line of JSON every ten seconds, and results at the end.

  deno task bench:soak [options]

  --minutes N        Default: 30
  --storage NAME     memory, sqlite, redis, postgres, redis+postgres. Default: memory
  --rate N           events a second over all tasks. Default: 2000
  --tasks N          live tasks at a time, each replaced when it ends. Default: 100
  --readers N        readers at a time, each replaced after a while. Default: 200
  --warm-up N        minutes of load before the heap is measured for the first time. Default: 1
  --snapshots FOLDER writes before.heapsnapshot and after.heapsnapshot there, to compare them in
                     the Memory tab of Chrome's DevTools
  --out FILE         appends the results to a file, too
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
    snapshots: { type: "string" },
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
/** Longest wait for ended tasks to be cleaned up. */
const CLEANED_MS = 90_000;
/**
 * Heap growth above this is a leak, because nothing of the load is left. A timer or a listener that
 * each reader of half an hour left behind would be ten megabytes and more; a heap that has settled
 * varies by less than one.
 */
const LEAK_MIB = 4;

/** Ended tasks are deleted after a minute, so that the amount of data stays constant. */
const CONFIG = {
  cleanup: {
    rules: [{ name: "soak", trigger: { afterMs: 60_000 }, target: "all" }],
  },
};

await using kept = await openStorage(values.storage);
const folder = await Deno.makeTempDir();
const configFile = `${folder}/taskcast.config.json`;
await Deno.writeTextFile(configFile, JSON.stringify(CONFIG));
// The inspector is used only while there is no load.
await using server = await startTaskcast(["--config", configFile, ...kept.args], { inspect: true });
const options = {
  eventsPerSecond: Number(values.rate),
  tasks: Number(values.tasks),
  readers: Number(values.readers),
};
let load = new SoakLoad(server.url, options);
const inspector = await Inspector.connect(server.inspectorUrl!);

load.start();
await pause(60_000 * Number(values["warm-up"]));
const before = await quietHeapMiB("before");
load = new SoakLoad(server.url, options);

const startedMs = performance.now();
const endMs = startedMs + 60_000 * Number(values.minutes);
load.start();
const samples: Awaited<ReturnType<typeof sample>>[] = [];
while (performance.now() < endMs) {
  const { usage: { serverCpu, clientCpu } } = await watchUsage(server, () => pause(SAMPLE_MS));
  const taken = await sample();
  samples.push(taken);
  const shown = { storage: values.storage, ...taken, serverCpu, clientCpu };
  console.log(
    JSON.stringify(shown, (_, value) => typeof value === "number" ? rounded(value) : value),
  );
}
const leftMiB = await quietHeapMiB("after") - before;
inspector.close();

const write = resultWriter(values.out);
const sumOf = (key: "errors" | "missing" | "doubled" | "outOfOrder" | "readersOpened") =>
  samples.reduce((sum, taken) => sum + taken[key], 0);
const common = {
  storage: values.storage,
  rounds: 1,
  errors: sumOf("errors"),
  missing: sumOf("missing"),
  doubled: sumOf("doubled"),
  outOfOrder: sumOf("outOfOrder"),
};
const halves = [samples.slice(0, samples.length >> 1), samples.slice(samples.length >> 1)];
for (
  const [key, name, unit] of [
    ["publishP99Ms", "99 % of publishes", "ms"],
    ["deliveryP99Ms", "99 % of deliveries", "ms"],
    ["rssMiB", "memory of the server", "MiB"],
  ] as const
) {
  const [first, second] = halves.map((half) => median(half.map((taken) => taken[key])));
  write({
    ...common,
    scenario: `soak of ${values.minutes} minutes, ${name} in the second half`,
    unit,
    value: second!,
    baseline: first,
    baselineName: "the first half",
    ratio: second! / first!,
  });
}
write({
  ...common,
  scenario: `soak of ${values.minutes} minutes, heap left of ${sumOf("readersOpened")} readers`,
  unit: "MiB",
  value: leftMiB,
  target: LEAK_MIB,
  targetIs: "at most",
});
await Deno.remove(folder, { recursive: true });
if (leftMiB > LEAK_MIB) {
  console.error("The server leaks: compare the heaps of a run with --snapshots");
  Deno.exitCode = 1;
}

/** Ends the load, waits until its tasks are cleaned up, and measures the heap. */
async function quietHeapMiB(name: "before" | "after"): Promise<number> {
  await load.stop();
  const untilMs = performance.now() + CLEANED_MS;
  do await pause(1_000); while (await hasTasks() && performance.now() < untilMs);
  await metricsOf(server.url); // Loads the code for metrics before the first measurement.
  const bytes = await inspector.usedHeapBytes();
  if (values.snapshots !== undefined) {
    await Deno.mkdir(values.snapshots, { recursive: true });
    await inspector.writeSnapshot(`${values.snapshots}/${name}.heapsnapshot`);
  }
  return bytes / MIB;
}

/** Returns true if there are tasks, live or ended. */
async function hasTasks(): Promise<boolean> {
  const { tasks } = await (await fetch(`${server.url}/tasks?limit=1`)).json();
  return tasks.length > 0;
}

async function sample() {
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

/** Returns the metrics that have no labels. */
async function metricsOf(url: string): Promise<Record<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const lines = text.matchAll(/^(\w+) (\S+)$/gm);
  return Object.fromEntries(Array.from(lines, ([, name, value]) => [name!, Number(value)]));
}
