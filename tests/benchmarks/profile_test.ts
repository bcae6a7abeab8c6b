import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { clearTimeout as clearNodeTimeout, setTimeout as setNodeTimeout } from "node:timers";
import { writeHeapSnapshot } from "node:v8";
import { selfTimes, selfTimeTable } from "../../benchmarks/harness/cpu_profile.ts";
import { countListeners } from "../../benchmarks/harness/heap_listeners.ts";
import { countTimers } from "../../benchmarks/harness/heap_timers.ts";
import { grownKinds, heapGrowth, heapKinds } from "../../benchmarks/harness/heap_snapshot.ts";
import { flameGraph } from "../../benchmarks/report/flame_graph.ts";
import { REDIS } from "../../benchmarks/report/origins.ts";
import { profileOwn } from "../../benchmarks/harness/own_profile.ts";
import { perfProfile } from "../../benchmarks/harness/perf_profile.ts";

// What benchmarks tell of where time goes, and of what is left in the heap.

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
