import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { clearTimeout as clearNodeTimeout, setTimeout as setNodeTimeout } from "node:timers";
import { writeHeapSnapshot } from "node:v8";
import fc from "fast-check";
import { ChunkedBody } from "../benchmarks/harness/chunked_body.ts";
import { FrameCheck } from "../benchmarks/harness/frame_check.ts";
import type { CpuProfile } from "../benchmarks/harness/cpu_profile.ts";
import { selfTimes, selfTimeTable } from "../benchmarks/harness/cpu_profile.ts";
import { ErrorCount } from "../benchmarks/harness/error_count.ts";
import { countListeners } from "../benchmarks/harness/heap_listeners.ts";
import { countTimers } from "../benchmarks/harness/heap_timers.ts";
import { grownKinds, heapGrowth, heapKinds } from "../benchmarks/harness/heap_snapshot.ts";
import { flameGraph } from "../benchmarks/report/flame_graph.ts";
import { REDIS } from "../benchmarks/report/origins.ts";
import { compare } from "../benchmarks/stores/rounds.ts";
import { inTurns, latenciesOf, median, quantile, ratioOf } from "../benchmarks/harness/measure.ts";
import { profileOwn } from "../benchmarks/harness/own_profile.ts";
import { perfProfile } from "../benchmarks/harness/perf_profile.ts";
import { usageOf } from "../benchmarks/harness/processes.ts";
import { noteDelay, nowMs } from "../benchmarks/harness/sent_at.ts";
import { lineOf, meetsTarget } from "../benchmarks/harness/result.ts";
import { readSse } from "../benchmarks/harness/sse_reader.ts";
import { renderReport } from "../benchmarks/report/render.ts";
import { readResults } from "../benchmarks/report/results.ts";
import type { SoakSample } from "../benchmarks/report/results.ts";
import { shown, soakTable } from "../benchmarks/report/tables.ts";

// A generator of load that miscounts would make every figure void.

const utf8 = new TextEncoder();

function frame(index: number, text = "x"): string {
  return `event: taskcast.event\nid: abc-${index}\n` +
    `data: {"filteredIndex":${index},"rawIndex":${index},"data":"${text}"}\n\n`;
}

function checked(text: string): FrameCheck {
  const check = new FrameCheck(0);
  check.push(utf8.encode(text));
  return check;
}

Deno.test("frames are counted however their bytes fall apart", () => {
  fc.assert(fc.property(
    fc.array(fc.string({ unit: "grapheme" }).map((text) => text.replaceAll(/["\\\n]/g, ""))),
    fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }),
    (texts, sizes) => {
      const bytes = utf8.encode(
        "retry: 1000\n: hello\n\n" + texts.map((text, i) => frame(i, text)).join("") +
          'event: taskcast.done\nid: end\ndata: {"reason":"completed"}\n\n',
      );
      const check = new FrameCheck(0);
      // Read into memory that is used again, as sockets are.
      const memory = new Uint8Array(64);
      for (let at = 0, n = 0; at < bytes.length; n++) {
        const part = bytes.subarray(at, at + sizes[n % sizes.length]!);
        memory.set(part);
        check.push(memory.subarray(0, part.length));
        at += part.length;
      }
      assert.equal(check.events, texts.length);
      assert.equal(check.done, true);
      assert.deepEqual(check.faults, { missing: 0, doubled: 0, outOfOrder: 0 });
    },
  ));
});

Deno.test("what is missing, doubled or out of order is seen", () => {
  const frames = (...indexes: number[]) => checked(indexes.map((i) => frame(i)).join(""));
  assert.deepEqual(frames(0, 1, 4).faults, { missing: 2, doubled: 0, outOfOrder: 0 });
  assert.deepEqual(frames(0, 1, 1, 0, 2).faults, { missing: 0, doubled: 2, outOfOrder: 0 });
  assert.deepEqual(frames(0, 2, 1, 3).faults, { missing: 0, doubled: 0, outOfOrder: 1 });
  assert.equal(frames(0, 1).done, false);
});

Deno.test("of so many events only the last is told of, and how long it took", () => {
  const told: number[] = [];
  const check = new FrameCheck(0, (_, index) => told.push(index), 3);
  for (let i = 0; i < 8; i++) check.push(utf8.encode(frame(i)));
  assert.deepEqual(told, [2, 5]);
  assert.equal(check.events, 8);

  const tookMs: number[] = [];
  noteDelay(utf8.encode(`data: {"data":{"i":1,"at":${nowMs() - 5_000}}}`), tookMs);
  noteDelay(utf8.encode('data: {"data":{"i":1}}'), tookMs);
  assert.equal(tookMs.length, 1);
  assert(tookMs[0]! >= 5_000 && tookMs[0]! < 10_000, `${tookMs[0]} ms`);
});

Deno.test("a profile tells what each function took itself, of the time in which the thread was busy", () => {
  const node = (id: number, functionName: string, url = "", lineNumber = -1) => ({
    id,
    callFrame: { functionName, url, lineNumber },
  });
  const times = selfTimes({
    nodes: [
      node(1, "(idle)"),
      node(2, "append", "file:///a/core/memory/log.ts", 9),
      node(3, "", "file:///a/core/memory/log.ts", 0),
      node(4, "append", "file:///a/core/memory/log.ts", 9), // Called from somewhere else.
    ],
    samples: [1, 2, 3, 4, 1],
    timeDeltas: [500, 100, 50, 50, 9_000],
  });
  assert.deepEqual(times, [
    { name: "append", place: "memory/log.ts:10", share: 0.75 },
    { name: "(anonymous)", place: "memory/log.ts:1", share: 0.25 },
  ]);
  assert.equal(selfTimeTable(times, 1).split("\n")[2], "| 75.0 % | `append` | memory/log.ts:10 |");
});

Deno.test("a flame graph is as wide as functions were busy, with all that they called", () => {
  const node = (id: number, functionName: string, url: string, children: number[] = []) => ({
    id,
    callFrame: { functionName, url, lineNumber: 0 },
    children,
  });
  const graph = flameGraph("a < b", {
    nodes: [
      node(1, "(root)", "", [2, 3, 5, 7]),
      node(2, "(idle)", ""),
      node(3, "serve", "ext:deno_http/00_serve.ts", [4]),
      node(4, "publish", "file:///a/core/engine/engine.ts"),
      node(5, "serve", "ext:deno_http/00_serve.ts", [6]), // As node 3, by another way.
      node(6, "publish", "file:///a/core/engine/engine.ts"),
      node(7, "(garbage collector)", ""),
    ],
    samples: [2, 4, 6, 3, 7, 2],
    timeDeltas: [9_000, 300, 300, 200, 200, 5_000],
  });
  const words = [...graph.matchAll(/<text[^>]*>([^<]*)</g)].map(([, said]) => said);
  assert.deepEqual(words, [
    "a &lt; b",
    "Taskcast 60 %",
    "packages 0 %",
    "the runtime 20 %",
    "garbage collector, compiler, native code 20 %",
    "serve 80.0 %",
    "publish 60.0 %",
    "(garbage collector) 20.0 %",
  ]);
});

Deno.test("stacks of perf are a profile, where what lies among functions of Lua is Lua", () => {
  const graph = flameGraph(
    "redis",
    perfProfile(
      `
\t          152a00 [unknown] (/usr/bin/redis-server)
\t          152b00 [unknown] (/usr/bin/redis-server)
\t          152000 lua_call (/usr/bin/redis-server)
\t           e8ca8 evalCommand (/usr/bin/redis-server)

\t          153000 luaL_ref (/usr/bin/redis-server)
\t           e8ca8 evalCommand (/usr/bin/redis-server)


\t           27cc9 free (/usr/lib/libjemalloc.so.2)
\t           34a8c [unknown] (/usr/bin/redis-server)

\tffffffff821f3125 tcp_sendmsg ([kernel.kallsyms])
\tffffffff81000e46 do_syscall_64 ([kernel.kallsyms])
`,
      500,
    ),
    REDIS,
  );
  const words = [...graph.matchAll(/<text[^>]*>([^<]*)</g)].map(([, said]) => said);
  assert.deepEqual(words, [
    "redis",
    "Lua 50 %",
    "Redis 0 %",
    "memory, C library 25 %",
    "the kernel 25 %",
    "evalCommand 50.0 %",
    "lua_call 25.0 %",
    "Lua 25.0 %",
    "luaL_ref 25.0 %",
    "(unnamed) 25.0 %",
    "free 25.0 %",
    "(kernel) 25.0 %",
  ]);
});

Deno.test("this process is profiled while it works, without what profiling takes", async () => {
  const { nodes, samples } = await profileOwn(function workForAWhile() {
    for (const endMs = performance.now() + 50; performance.now() < endMs;);
    return Promise.resolve();
  });
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const names = samples.map((id) => frames.get(id)!.functionName);
  assert(names.includes("workForAWhile"));
  assert(!samples.some((id) => frames.get(id)!.url.includes("inspector")));
});

Deno.test("what a heap has more of is told for each reader, by constructor", () => {
  const snapshot = (readers: number) => ({
    snapshot: {
      meta: {
        node_fields: ["type", "name", "id", "self_size"],
        node_types: [["hidden", "object", "closure", "array"]] as [string[]],
        edge_fields: [],
        edge_types: [[]] as [string[]],
      },
    },
    edges: [],
    nodes: [
      ...Array.from({ length: readers }, (_, i) => [1, 1, i, 40, 2, 2, i, 64]).flat(),
      ...[3, 0, 0, 100 * readers],
    ],
    strings: ["", "Reader", "read"],
  });
  assert.deepEqual(heapGrowth(heapKinds(snapshot(2)), heapKinds(snapshot(6)), 4), [
    { kind: "(array)", objects: 0, bytes: 100 },
    { kind: "read()", objects: 1, bytes: 64 },
    { kind: "Reader", objects: 1, bytes: 40 },
  ]);
});

Deno.test("what is left in a heap is told by kinds, without what V8 makes for itself", () => {
  const kinds = (counts: Record<string, number>) =>
    new Map(Object.entries(counts).map(([kind, objects]) => [kind, { objects, bytes: 8 }]));
  const before = kinds({ Timeout: 3, "(code)": 10, "abort()": 5, Tail: 7 });
  const after = kinds({
    ...{ Timeout: 60, "(code)": 900, "abort()": 105, Tail: 7, Few: 40, "system / Map": 99 },
    "(variables of functions)": 300,
  });
  assert.deepEqual(grownKinds(before, after, 50), [
    { kind: "(variables of functions)", objects: 300 },
    { kind: "abort()", objects: 100 },
    { kind: "Timeout", objects: 57 },
  ]);
});

/** What waits in the heap of this process. */
async function ownHeap() {
  const file = await Deno.makeTempFile();
  writeHeapSnapshot(file); // As a stream it would bring listeners of its own.
  const heap = JSON.parse(await Deno.readTextFile(file));
  await Deno.remove(file);
  return { timers: countTimers(heap), listeners: countListeners(heap) };
}

Deno.test("timers and listeners that are left are counted, however they were made", async () => {
  // As a version of Deno keeps them: when this fails, look at what it does now.
  const { signal } = new AbortController();
  const emitter = new EventEmitter().setMaxListeners(0);
  const held: unknown[] = [];
  const timers: Parameters<typeof clearTimeout>[0][] = [];
  const nodeTimers: ReturnType<typeof setNodeTimeout>[] = [];
  const make = (count: number) => {
    for (let i = 0; i < count; i++) {
      timers.push(setTimeout(() => {}, 1e6), setInterval(() => {}, 1e6));
      nodeTimers.push(setNodeTimeout(() => {}, 1e6));
      held.push(AbortSignal.timeout(1e6));
      signal.addEventListener("abort", () => {}, { once: i % 2 === 0 });
      emitter.on("data", () => {});
      held.push(new EventEmitter().on("data", () => {})); // The only one of its emitter.
      // What has been taken back is no leak.
      clearTimeout(setTimeout(() => {}, 1e6));
      const gone = () => {};
      signal.addEventListener("abort", gone);
      signal.removeEventListener("abort", gone);
    }
  };
  // What only the first ones bring along: V8 keeps a pattern of objects that are often made.
  make(10);
  await ownHeap();
  const before = await ownHeap();
  make(50);
  const after = await ownHeap();
  // Other tests of this process may have left a few, which go meanwhile; a kind that is not counted
  // would be 50.
  const counts = [after.timers - before.timers - 200, after.listeners - before.listeners - 150];
  assert(counts.every((count) => Math.abs(count) < 10), `off by ${counts}`);
  for (const timer of timers) clearTimeout(timer);
  for (const timer of nodeTimers) clearNodeTimeout(timer);
});

Deno.test("the report of a soak says what was left in the heap", () => {
  const sample = (line: Record<string, unknown>) =>
    ({ storage: "memory", atSeconds: 60, ...line }) as unknown as SoakSample;
  const report = (left: Record<string, unknown>) =>
    soakTable([sample({}), sample({ afterwards: true, ...left })]);
  assert.match(
    report({ leakedObjects: 0, leakedTimers: 2600, leakedListeners: 1 }),
    /, 0 objects left .*, 2 600 timers and 1 listeners\.\n/,
  );
  // Nothing was counted when these were written.
  assert.doesNotMatch(report({}), /timers/);
});

Deno.test("what fails is counted, and the rest goes on", async () => {
  const said: unknown[] = [];
  const errors = new ErrorCount((error) => void said.push(error));
  assert.equal(await errors.watch(Promise.resolve(1)), 1);
  for (let i = 0; i < 3; i++) await errors.watch(Promise.reject(new Error(`no ${i}`)));
  assert.equal(errors.count, 3);
  assert.deepEqual(said.map(String), ["Error: no 0"]);
});

Deno.test("rounds are summed up as medians, and memory as the most there was", () => {
  const usages = [3, 1, 2].map((n) => ({
    usage: { serverCpu: n, clientCpu: n / 10, serverRssMiB: 10 * n },
  }));
  assert.deepEqual(usageOf(usages), { serverCpu: 2, clientCpu: 0.2, serverRssMiB: 30 });
  assert.deepEqual(usageOf([{ usage: { clientCpu: 1 } }]), {
    serverCpu: undefined, // Of somebody else's server nothing is known.
    clientCpu: 1,
    serverRssMiB: undefined,
  });
  assert.deepEqual(latenciesOf([[1, 2, 9], [3, 3, 3], [4, 5, 6]]), { p50Ms: 3, p99Ms: 6 });
});

Deno.test("a chunked body is what was put into chunks", () => {
  fc.assert(fc.property(
    fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 })),
    fc.integer({ min: 1, max: 50 }),
    (chunks, size) => {
      const wire: number[] = [];
      for (const chunk of chunks) {
        wire.push(...utf8.encode(`${chunk.length.toString(16)}\r\n`), ...chunk, 13, 10);
      }
      wire.push(...utf8.encode("0\r\n\r\n"));
      const read: number[] = [];
      const body = new ChunkedBody((part) => read.push(...part));
      for (let at = 0; at < wire.length; at += size) {
        assert.equal(body.ended, false);
        body.push(Uint8Array.from(wire.slice(at, at + size)));
      }
      assert.equal(body.ended, true);
      assert.deepEqual(read, chunks.flatMap((chunk) => [...chunk]));
    },
  ));
});

Deno.test("a stream that is cut off is an error, not an end", async () => {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = listener.addr as Deno.NetAddr;
  const answering = (async () => {
    using connection = await listener.accept();
    await connection.read(new Uint8Array(4096));
    const head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    await connection.write(utf8.encode(`${head}5\r\n: hi\n\r\n`));
  })();
  const reader = readSse(`http://127.0.0.1:${port}/events`);
  await reader.opened;
  await assert.rejects(reader.ended, /cut off/);
  await answering;
  listener.close();
});

Deno.test("rounds are taken in turns, and compared with their neighbours", async () => {
  const order: string[] = [];
  const work = (name: string) => (round: number) => {
    order.push(name);
    return Promise.resolve(round);
  };
  const values = await inTurns(3, { a: work("a"), b: work("b") });
  assert.equal(order.join(""), "abbaab");
  assert.deepEqual(values, { a: [0, 1, 2], b: [0, 1, 2] });
  // A round in which the machine was slow for both changes nothing.
  assert.equal(ratioOf([10, 1, 10], [20, 2, 20]), 0.5);
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.equal(quantile([5, 1, 3], 0.99), 5);
});

Deno.test("a line of a store has what its calls took and who was busy", async () => {
  const load = (eventsPerSecond: number) => () =>
    Promise.resolve({ eventsPerSecond, tookMs: [1, 2, 9] });
  const [line] = await compare({
    scenario: "append",
    storage: "redis",
    value: load(50),
    baselines: { raw: load(100) },
    target: { ratio: 0.4 },
  }, 3);
  const { value, baseline, ratio, p50Ms, p99Ms } = line!;
  assert.deepEqual({ value, baseline, ratio, p50Ms, p99Ms }, {
    value: 50,
    baseline: 100,
    ratio: 0.5,
    p50Ms: 2,
    p99Ms: 9,
  });
});

Deno.test("a result says whether it is what was asked for", () => {
  const base = { value: 7, target: 10 };
  assert.equal(meetsTarget({ ...base, targetIs: "at least" }), false);
  assert.equal(meetsTarget({ ...base, targetIs: "at most" }), true);
  assert.equal(meetsTarget({ ...base, target: 0.5, ratio: 0.5, targetIs: "ratio at least" }), true);
  assert.equal(meetsTarget({ ...base, target: 0.5, targetIs: "ratio at least" }), false);
  assert.equal(meetsTarget({ value: 7 }), undefined);
  const line = lineOf({ scenario: "s", storage: "memory", value: 1.23456, unit: "ms", rounds: 5 });
  assert.deepEqual(JSON.parse(line), {
    scenario: "s",
    storage: "memory",
    value: 1.23,
    unit: "ms",
    rounds: 5,
  });
  assert.equal(shown(1234567), "1 230 000");
  assert.equal(shown(0.01234), "0.0123");
});

Deno.test("the report is that of the results that are here", async () => {
  const folder = new URL("../benchmarks/", import.meta.url);
  const files = renderReport(await readResults(new URL("results", folder).pathname));
  for (const [name, text] of Object.entries(files)) {
    const found = await Deno.readTextFile(new URL(name, folder));
    assert.equal(found, text, `benchmarks/${name} is not current: deno task bench:report`);
  }
});

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
    cwd: new URL("../", import.meta.url),
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
    cwd: new URL("../", import.meta.url),
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
    cwd: new URL("../", import.meta.url),
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
