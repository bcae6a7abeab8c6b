import assert from "node:assert/strict";
import { startTaskcast } from "../../benchmarks/harness/server.ts";
import { Inspector } from "../../benchmarks/harness/inspector.ts";
import { hasWrk, loadByWrk } from "../../benchmarks/harness/wrk.ts";

// Runs the load generators from start to end, so that a change of the API or of a flag is noticed
// before somebody needs figures. Loads are as short as possible.

const ROOT = new URL("../../", import.meta.url);
const USAGE = Deno.build.os === "linux" ? ["serverCpu", "clientCpu", "serverRssMiB"] : [];
const LATENCY = ["p50Ms", "p99Ms"];
const FAULTS = ["missing", "doubled", "outOfOrder"];

/** The scenarios, with the beginning of their lines and the numbers in each line. */
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

async function runLoad(...args: string[]): Promise<Record<string, unknown>[]> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-check", "benchmarks/main.ts", "--rounds", "1"],
      ...["--duration", "0.1", "--scale", "0.002", ...args],
    ],
    cwd: ROOT,
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim().split("\n").map((line) => JSON.parse(line));
}

Deno.test("bench:load runs its scenarios without faults and writes their results", async () => {
  const out = await Deno.makeTempFile();
  const scenarios = Object.keys(FIELDS).flatMap((scenario) => ["--scenario", scenario]);
  const lines = await runLoad("--out", out, ...scenarios);
  assert(lines.length > 10, `${lines.length} results`);
  for (const line of lines) {
    assert(Number(line.value) > 0, String(line.scenario));
    const { errors = 0, missing = 0, doubled = 0, outOfOrder = 0 } = line;
    assert.deepEqual([errors, missing, doubled, outOfOrder], [0, 0, 0, 0], String(line.scenario));
  }
  for (const [scenario, { lines: begin, fields }] of Object.entries(FIELDS)) {
    const found = lines.filter((line) => begin.test(String(line.scenario)));
    assert(found.length > 0, scenario);
    for (const line of found) {
      for (const field of fields) {
        assert.equal(typeof line[field], "number", `${line.scenario}: ${field}`);
      }
    }
  }
  const written = (await Deno.readTextFile(out)).trim().split("\n");
  assert.deepEqual(written.map((line) => JSON.parse(line)), lines);
  await Deno.remove(out);
});

Deno.test("bench:load measures the cost of an archive for producers", async () => {
  const lines = await runLoad("--storage", "redis+postgres", "--scenario", "archiving");
  assert.deepEqual(lines.map(({ scenario }) => scenario), [
    "publish single events, 32 tasks, beside the archive",
    "publish batches of 100, 32 tasks, beside the archive",
  ]);
  for (const { value, baseline, ratio, errors } of lines) {
    assert(Number(value) > 0 && Number(baseline) > 0 && Number(ratio) > 0);
    assert.equal(errors, 0);
  }
});

const wrk = { ignore: !await hasWrk() };
if (wrk.ignore) console.warn("\n*** The test of wrk is left out: it wants wrk ***\n");

Deno.test(
  "wrk alternates between requests, and counts answers that are no success",
  wrk,
  async () => {
    const seen = new Map<string, number>();
    await using server = Deno.serve({ port: 0, onListen: () => {} }, async (request) => {
      const call = `${request.method} ${new URL(request.url).pathname} ${await request.text()}`;
      seen.set(call, (seen.get(call) ?? 0) + 1);
      return new Response("", { status: request.method === "POST" ? 201 : 500 });
    });
    const { requestsPerSecond, errors, p50Ms } = await loadByWrk({
      url: `http://127.0.0.1:${server.addr.port}`,
      requests: [
        { method: "POST", path: "/tasks", body: { type: "a" } },
        { method: "GET", path: "/tasks/1" },
      ],
      connections: 1,
      seconds: 1,
    });
    assert.deepEqual([...seen.keys()].sort(), ["GET /tasks/1 ", 'POST /tasks {"type":"a"}']);
    const [posts, gets] = [seen.get('POST /tasks {"type":"a"}')!, seen.get("GET /tasks/1 ")!];
    // The last requests may still be in progress when wrk counts.
    assert(
      Math.abs(posts - gets) <= 1 && Math.abs(errors - gets) <= 2,
      `${posts} ${gets} ${errors}`,
    );
    assert(requestsPerSecond > 0 && p50Ms > 0);
  },
);

Deno.test("the heap of a server is measured after garbage collection, and written for DevTools", async () => {
  await using server = await startTaskcast([], { inspect: true });
  const inspector = await Inspector.connect(server.inspectorUrl!);
  const used = await inspector.usedHeapBytes();
  assert(used > 1_000_000, `${used} bytes`);
  const file = await Deno.makeTempFile({ suffix: ".heapsnapshot" });
  await inspector.writeSnapshot(file);
  const { snapshot, nodes } = JSON.parse(await Deno.readTextFile(file));
  assert.equal(nodes.length, snapshot.node_count * snapshot.meta.node_fields.length);
  await Deno.remove(file);
  inspector.close();
});
