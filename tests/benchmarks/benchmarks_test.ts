import assert from "node:assert/strict";
import fc from "fast-check";
import { ChunkedBody } from "../../benchmarks/harness/chunked_body.ts";
import { FrameCheck } from "../../benchmarks/harness/frame_check.ts";
import { ErrorCount } from "../../benchmarks/harness/error_count.ts";
import { compare } from "../../benchmarks/stores/rounds.ts";
import {
  inTurns,
  latenciesOf,
  median,
  quantile,
  ratioOf,
} from "../../benchmarks/harness/measure.ts";
import { usageOf } from "../../benchmarks/harness/processes.ts";
import { noteDelay, nowMs } from "../../benchmarks/harness/sent_at.ts";
import { lineOf, meetsTarget } from "../../benchmarks/harness/result.ts";
import { readSse } from "../../benchmarks/harness/sse_reader.ts";
import type { Result } from "../../benchmarks/harness/result.ts";
import { grouped, resultTable } from "../../benchmarks/harness/result_table.ts";

// Tests of the harness: a load generator that miscounts would invalidate every figure.

const utf8 = new TextEncoder();

function frame(index: number, text = "x"): string {
  return "event: taskcast.event\n" +
    `data: {"filteredIndex":${index},"rawIndex":${index},"data":"${text}"}\nid: abc-${index}\n\n`;
}

function checked(text: string): FrameCheck {
  const check = new FrameCheck(0);
  check.push(utf8.encode(text));
  return check;
}

Deno.test("frames are counted wherever their bytes are split", () => {
  fc.assert(fc.property(
    fc.array(fc.string({ unit: "grapheme" }).map((text) => text.replaceAll(/["\\\n]/g, ""))),
    fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }),
    (texts, sizes) => {
      const bytes = utf8.encode(
        "retry: 1000\n: hello\n\n" + texts.map((text, i) => frame(i, text)).join("") +
          'event: taskcast.done\ndata: {"reason":"completed"}\nid: end\n\nretry: 30000\n\n',
      );
      const check = new FrameCheck(0);
      // Read into a reused buffer, as from sockets.
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

Deno.test("missing, repeated and reordered events are detected", () => {
  const frames = (...indexes: number[]) => checked(indexes.map((i) => frame(i)).join(""));
  assert.deepEqual(frames(0, 1, 4).faults, { missing: 2, doubled: 0, outOfOrder: 0 });
  assert.deepEqual(frames(0, 1, 1, 0, 2).faults, { missing: 0, doubled: 2, outOfOrder: 0 });
  assert.deepEqual(frames(0, 2, 1, 3).faults, { missing: 0, doubled: 0, outOfOrder: 1 });
  assert.equal(frames(0, 1).done, false);
});

Deno.test("a batch of events reports only the last event and the total time", () => {
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

Deno.test("failures are counted without stopping the run", async () => {
  const said: unknown[] = [];
  const errors = new ErrorCount((error) => void said.push(error));
  assert.equal(await errors.watch(Promise.resolve(1)), 1);
  for (let i = 0; i < 3; i++) await errors.watch(Promise.reject(new Error(`no ${i}`)));
  assert.equal(errors.count, 3);
  assert.deepEqual(said.map(String), ["Error: no 0"]);
});

Deno.test("rounds are reported as medians, and memory as its maximum", () => {
  const usages = [3, 1, 2].map((n) => ({
    usage: { serverCpu: n, clientCpu: n / 10, serverRssMiB: 10 * n },
  }));
  assert.deepEqual(usageOf(usages), { serverCpu: 2, clientCpu: 0.2, serverRssMiB: 30 });
  assert.deepEqual(usageOf([{ usage: { clientCpu: 1 } }]), {
    serverCpu: undefined, // It is unknown for another server.
    clientCpu: 1,
    serverRssMiB: undefined,
  });
  assert.deepEqual(latenciesOf([[1, 2, 9], [3, 3, 3], [4, 5, 6]]), { p50Ms: 3, p99Ms: 6 });
});

Deno.test("a chunked body is decoded", () => {
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

Deno.test("rounds alternate between the servers, and are compared with their neighbours", async () => {
  const order: string[] = [];
  const work = (name: string) => (round: number) => {
    order.push(name);
    return Promise.resolve(round);
  };
  const values = await inTurns(3, { a: work("a"), b: work("b") });
  assert.equal(order.join(""), "abbaab");
  assert.deepEqual(values, { a: [0, 1, 2], b: [0, 1, 2] });
  // A round that is slow for both sides does not change the ratio.
  assert.equal(ratioOf([10, 1, 10], [20, 2, 20]), 0.5);
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.equal(quantile([5, 1, 3], 0.99), 5);
});

Deno.test("a line of a store scenario has the durations of calls and the CPU times", async () => {
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

Deno.test("a result says whether it meets its target", () => {
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
  assert.equal(grouped(1234567), "1 230 000");
  assert.equal(grouped(0.01234), "0.0123");
});

Deno.test("a table of results has a row for each scenario and a column for each release", () => {
  const result = (line: Partial<Result>) =>
    ({ storage: "memory", scenario: "publish", unit: "events/s", rounds: 1, ...line }) as Result;
  const table = resultTable(
    new Map([
      ["0.1.0", [result({ value: 1000, baselineName: "bare", ratio: 0.5, ok: false })]],
      ["0.2.0", [
        result({ value: 1, baselineName: "bare" }), // Measured again below.
        result({ value: 2000, baselineName: "bare", ratio: 0.6, ok: true }),
        result({ scenario: "start-up", value: 99.94, unit: "ms" }),
      ]],
    ]),
  );
  assert.deepEqual(table.split("\n"), [
    "| Storage | Scenario | Compared with | 0.1.0 | 0.2.0 |",
    "| --- | --- | --- | ---: | ---: |",
    "| memory | publish | bare | 1 000 events/s, 0.5, target missed | 2 000 events/s, 0.6 |",
    "| memory | start-up |  |  | 99.9 ms |",
  ]);
});

Deno.test("the recorded results have the format of the harness", async () => {
  const folder = new URL("../../benchmarks/results/", import.meta.url);
  let lines = 0;
  for await (const { name } of Deno.readDir(folder)) {
    for (const line of (await Deno.readTextFile(new URL(name, folder))).trim().split("\n")) {
      const { storage, scenario, value, unit, rounds } = JSON.parse(line);
      const kinds = [storage, scenario, value, unit, rounds].map((field) => typeof field);
      assert.deepEqual(kinds, ["string", "string", "number", "string", "number"], line);
      lines++;
    }
  }
  assert(lines > 100, `${lines} results`);
});
