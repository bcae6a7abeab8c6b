// Half an hour at half load, with readers and tasks that come and go and rules that clean up: what
// grows, and what gets slower?
//
//   deno task bench:soak [--minutes 30] [--storage memory] [--rate 2000] [--out benchmarks/results]
import { parseArgs } from "node:util";
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
await using server = await startTaskcast(["--config", configFile, ...kept.args]);
const load = new SoakLoad(server.url, {
  eventsPerSecond: Number(values.rate),
  tasks: Number(values.tasks),
  readers: Number(values.readers),
});
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

const startedMs = performance.now();
const endMs = startedMs + 60_000 * Number(values.minutes);
load.start();
while (performance.now() < endMs) {
  const { usage: { serverCpu, clientCpu } } = await watchUsage(server, () => wait(SAMPLE_MS));
  say({ ...await sample(), serverCpu, clientCpu });
}
await load.stop();
// Everything that the load held is gone; what is left of it in the server would be a leak.
await wait(2_000);
say({ afterwards: true, ...await sample() });
await Deno.remove(folder, { recursive: true });

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
