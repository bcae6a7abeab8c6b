// Loads a server over HTTP and prints a line of JSON for each result.
//
//   deno task bench:load                               this repository's server, and a bare one
//   deno task bench:load --url http://host:3721        any server of the same API
//   deno task bench:load --storage all --out benchmarks/results/0.2.0.jsonl
import { parseArgs } from "node:util";
import type { Bench, Scenario } from "./harness/bench.ts";
import { hasWrk } from "./harness/wrk.ts";
import { resultWriter } from "./harness/result.ts";
import type { Server } from "./harness/server.ts";
import { remoteServer, startBare, startTaskcast } from "./harness/server.ts";
import { openStorage, STORAGES } from "./harness/storages.ts";
import { archiving } from "./scenarios/archiving.ts";
import { fanOut, fanOutSingles } from "./scenarios/fan_out.ts";
import { idleReaders, startup, storedEvents } from "./scenarios/footprint.ts";
import { growth } from "./scenarios/growth.ts";
import { latency } from "./scenarios/latency.ts";
import { ndjson } from "./scenarios/ndjson.ts";
import { replay } from "./scenarios/replay.ts";
import { requests } from "./scenarios/requests.ts";

const SCENARIOS: Readonly<Record<string, { run: Scenario; about: string }>> = {
  startup: { run: startup, about: "time to the first answer, memory of an idle server" },
  requests: { run: requests, about: "create, publish one by one and in batches" },
  ndjson: { run: ndjson, about: "publish lines on one connection" },
  "fan-out": { run: fanOut, about: "bursts to 1 to 2000 readers" },
  "fan-out-singles": { run: fanOutSingles, about: "one event after the other to many readers" },
  latency: { run: latency, about: "from publisher to reader at half load" },
  archiving: { run: archiving, about: "what PostgreSQL behind Redis costs those who publish" },
  replay: { run: replay, about: "all of a long log, and joining late" },
  growth: { run: growth, about: "what a long log costs those who add to it and page in it" },
  idle: { run: idleReaders, about: "memory of readers who wait" },
  stored: { run: storedEvents, about: "memory of events" },
};

const HELP = `Loads a Taskcast server and prints a line of JSON for each result.

  deno task bench:load [options]

  --scenario NAME     one of those below; more than once for several. Default: all
  --url URL           loads this server instead of one that is started. What only the operating
                      system knows of it (processor, memory) is left out
  --root FOLDER       starts the server of another checkout of the repository, to compare versions
  --storage NAME      ${STORAGES.join(", ")}, or all. Default: memory
  --server-arg ARG    passed to the server that is started; more than once for several
  --duration SECONDS  of load in each round. Default: 4
  --concurrency N     connections that send requests. Default: 32
  --rounds N          Default: 5. Results are medians
  --scale N           makes what is counted instead of timed smaller or larger. Default: 1
  --out FILE          appends the lines to a file, too
  --profile FOLDER    writes CPU profiles of the servers under load there, for Chrome's DevTools.
                      Figures of such a run are slower
  --help

Scenarios:
${Object.entries(SCENARIOS).map(([name, { about }]) => `  ${name.padEnd(18)}  ${about}`).join("\n")}
`;

const { values } = parseArgs({
  args: Deno.args,
  options: {
    scenario: { type: "string", multiple: true },
    url: { type: "string" },
    root: { type: "string" },
    storage: { type: "string", default: "memory" },
    "server-arg": { type: "string", multiple: true, default: [] },
    duration: { type: "string", default: "4" },
    concurrency: { type: "string", default: "32" },
    rounds: { type: "string", default: "5" },
    scale: { type: "string", default: "1" },
    out: { type: "string" },
    profile: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

if (values.help) {
  console.log(HELP);
  Deno.exit(0);
}
const chosen = values.scenario ?? Object.keys(SCENARIOS);
for (const name of chosen) {
  if (!(name in SCENARIOS)) fail(`There is no scenario "${name}"`);
}
const number = (name: "duration" | "concurrency" | "rounds" | "scale") => {
  const value = Number(values[name]);
  if (!(value > 0)) fail(`--${name} must be a number above 0`);
  return value;
};
const settings = {
  seconds: number("duration"),
  connections: number("concurrency"),
  rounds: Math.ceil(number("rounds")),
  scale: number("scale"),
};
for (const name of ["profile", "root"] as const) {
  if (values[name] === undefined || values.url === undefined) continue;
  fail(`--${name} is for a server that is started here, without --url`);
}
if (!await hasWrk()) {
  console.error("wrk is not installed: requests are sent by fetch, which may be the slower side");
}
const write = resultWriter(values.out);
const storages = values.storage === "all" ? STORAGES : [values.storage];
for (const storage of values.url === undefined ? storages : ["remote"]) {
  for (const name of chosen) await runScenario(name, storage);
}

/** Runs a scenario with fresh processes, so that none slows the next. */
async function runScenario(name: string, storage: string): Promise<void> {
  const { url, profile: profileFolder } = values;
  await using kept = await openStorage(url === undefined ? storage : "memory");
  const start = (args: readonly string[] = []) =>
    startTaskcast([...kept.args, ...args, ...values["server-arg"]], { root: values.root });
  const startOn = async (other: string): Promise<Server> => {
    const storage = await openStorage(other);
    const args = [...storage.args, ...values["server-arg"]];
    const server = await startTaskcast(args, { root: values.root });
    return {
      ...server,
      async [Symbol.asyncDispose]() {
        await server[Symbol.asyncDispose]();
        await storage[Symbol.asyncDispose]();
      },
    };
  };
  const serverArgs = [...kept.args, ...values["server-arg"]];
  await using server = url === undefined
    ? await startTaskcast(serverArgs, { profileFolder, root: values.root })
    : remoteServer(url);
  await using bare = await startBare();
  const bench: Bench = {
    server,
    bare,
    ...(url === undefined ? { startAnother: start, startOn } : {}),
    startAnotherBare: startBare,
    storage,
    ...settings,
    report: (result) => write({ storage, ...result }),
  };
  await SCENARIOS[name]!.run(bench);
}

function fail(message: string): never {
  console.error(`${message}\n\n${HELP}`);
  Deno.exit(2);
}
