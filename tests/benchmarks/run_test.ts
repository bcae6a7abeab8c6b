import assert from "node:assert/strict";
import type { CpuProfile } from "../../benchmarks/harness/cpu_profile.ts";
import { renderReport } from "../../benchmarks/report/render.ts";
import { readResults } from "../../benchmarks/report/results.ts";
import { shown } from "../../benchmarks/report/tables.ts";

// The generators of load, from start to end.

const USAGE = Deno.build.os === "linux" ? ["serverCpu", "clientCpu", "serverRssMiB"] : [];
const LATENCY = ["p50Ms", "p99Ms"];
const FAULTS = ["missing", "doubled", "outOfOrder"];

/** The scenarios that are run, how their lines begin, and what each line has. */
const FIELDS: Record<string, { lines: RegExp; fields: string[] }> = {
  requests: { lines: /^(create|publish (single|batch))/, fields: [...LATENCY, "errors", ...USAGE] },
  ndjson: { lines: /NDJSON/, fields: [...LATENCY, "errors", ...USAGE] },
  "fan-out": {
    lines: /^fan-out .* bursts/,
    fields: [...LATENCY, "bareP50Ms", "bareP99Ms", "errors", ...FAULTS, ...USAGE],
  },
  latency: { lines: /^latency/, fields: [...LATENCY, "errors", ...FAULTS, ...USAGE] },
  replay: { lines: /^(replay|late join)/, fields: [...LATENCY, "errors", ...FAULTS, ...USAGE] },
  growth: { lines: /^(one publish|a page)/, fields: [...LATENCY, "errors", ...USAGE] },
};

Deno.test("the generator of load runs from start to end, and sees no fault", async () => {
  const out = await Deno.makeTempDir();
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-check", "benchmarks/main.ts", "--rounds", "1", "--duration", "1"],
      ...["--scale", "0.002", "--out", out],
      ...Object.keys(FIELDS).flatMap((scenario) => ["--scenario", scenario]),
    ],
    cwd: new URL("../../", import.meta.url),
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  const lines = new TextDecoder().decode(stdout).trim().split("\n").map((line) => JSON.parse(line));
  assert(lines.length > 10, `${lines.length} results`);
  for (const line of lines) {
    assert(line.value > 0, line.scenario);
    const { errors = 0, missing = 0, doubled = 0, outOfOrder = 0 } = line;
    assert.deepEqual([errors, missing, doubled, outOfOrder], [0, 0, 0, 0], line.scenario);
  }
  for (const [scenario, { lines: begin, fields }] of Object.entries(FIELDS)) {
    const found = lines.filter((line) => begin.test(line.scenario));
    assert(found.length > 0, scenario);
    for (const line of found) {
      for (const field of fields) {
        assert.equal(typeof line[field], "number", `${line.scenario}: ${field}`);
      }
    }
  }
  const { loads } = await readResults(out);
  assert.equal(loads.memory!.length, lines.length);
  const report = renderReport({ loads, soaks: {} })["RESULTS.md"]!;
  for (const { scenario, p99Ms } of lines) {
    const [row] = report.split("\n").filter((row) => row.startsWith(`| ${scenario} |`));
    assert(row !== undefined, scenario);
    if (p99Ms !== undefined) assert(row.includes(`99 % ${shown(p99Ms)} ms`), row);
  }
  await Deno.remove(out, { recursive: true });
});

Deno.test("what an archive costs those who publish is measured from start to end", async () => {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-check", "benchmarks/main.ts", "--rounds", "1", "--duration", "1"],
      ...["--storage", "redis+postgres", "--scenario", "archiving"],
    ],
    cwd: new URL("../../", import.meta.url),
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  const lines = new TextDecoder().decode(stdout).trim().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(lines.map(({ scenario }) => scenario), [
    "publish single events, 32 tasks, beside the archive",
    "publish batches of 100, 32 tasks, beside the archive",
  ]);
  for (const { value, baseline, ratio, errors } of lines) {
    assert(value > 0 && baseline > 0 && ratio > 0);
    assert.equal(errors, 0);
  }
});

Deno.test("what is done on a store is profiled, of the checkout that is asked for", async () => {
  const folder = await Deno.makeTempDir();
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-check", "benchmarks/stores/main.ts", "--only", "sqlite"],
      ...["--profile", folder, "--root", ".", "--scale", "0.02"],
    ],
    cwd: new URL("../../", import.meta.url),
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  for (const name of ["sqlite-publish", "sqlite-publish-arrays"]) {
    assert.match(await Deno.readTextFile(`${folder}/${name}.svg`), /sqlite-publish/);
    const { nodes } = JSON.parse(await Deno.readTextFile(`${folder}/${name}.cpuprofile`));
    const urls: string[] = nodes.map((node: CpuProfile["nodes"][number]) => node.callFrame.url);
    assert(urls.some((url) => url.endsWith("adapters/sqlite/commit.ts")));
  }
  await Deno.remove(folder, { recursive: true });
});
