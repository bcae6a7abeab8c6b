import assert from "node:assert/strict";
import fc from "fast-check";
import { MemoryBroadcastProvider } from "../memory/broadcast.ts";
import { MemoryShortTermStore } from "../memory/short_term_store.ts";
import { TaskcastError } from "../protocol/errors.ts";
import type { Limits } from "../protocol/limits.ts";
import { TaskEngine } from "./engine.ts";
import { runs } from "../../testing/properties/runs.ts";

// Embedders of the engine get the same checks as clients over HTTP.

function open(limits: Partial<Limits> = {}): TaskEngine {
  return new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
    limits,
  });
}

async function refusal(act: () => Promise<unknown>): Promise<{ code: string; path?: unknown }> {
  try {
    await act();
  } catch (error) {
    if (error instanceof TaskcastError) return { code: error.code, path: error.details?.path };
    throw error;
  }
  throw new Error("was not refused");
}

// deno-lint-ignore no-explicit-any
type Anything = any;

Deno.test("createTask() names the field that is wrong", async () => {
  await using engine = open();
  const cases: [input: Anything, path: string][] = [
    [null, ""],
    [[], ""],
    [{ id: "" }, "id"],
    [{ id: "a b" }, "id"],
    [{ id: "x".repeat(129) }, "id"],
    [{ unknown: 1 }, "unknown"],
    [{ type: 1 }, "type"],
    [{ type: "x".repeat(257) }, "type"],
    [{ params: [] }, "params"],
    [{ params: { f: () => 1 } }, "params.f"],
    [{ params: { deep: [{ n: NaN }] } }, "params.deep[0].n"],
    [{ params: { date: new Date() } }, "params.date"],
    [{ params: { big: 1n } }, "params.big"],
    [{ tags: "a" }, "tags"],
    [{ tags: ["a", ""] }, "tags[1]"],
    [{ ttl: 0 }, "ttl"],
    [{ ttl: -1 }, "ttl"],
    [{ ttl: Infinity }, "ttl"],
    [{ ttl: "10" }, "ttl"],
    [{ authConfig: {} }, "authConfig.rules"],
    [
      { authConfig: { rules: [{ match: { scope: ["no"] }, require: { sub: [] } }] } },
      "authConfig.rules[0].match.scope[0]",
    ],
  ];
  for (const [input, path] of cases) {
    assert.deepEqual(
      await refusal(() => engine.createTask(input)),
      { code: "INVALID_INPUT", path },
      path,
    );
  }
  assert.deepEqual((await engine.listTasks()).tasks, []);
});

Deno.test("publishing names the event and the field that is wrong, and stores nothing", async () => {
  await using engine = open();
  await engine.createTask({ id: "t" });
  const good = { type: "a", data: 1 };
  const cases: [event: Anything, path: string][] = [
    [undefined, "[1]"],
    [{ data: 1 }, "[1].type"],
    [{ type: "a" }, "[1].data"],
    [{ type: "taskcast:status", data: {} }, "[1].type"],
    [{ type: "a\0b", data: 1 }, "[1].type"],
    [{ type: "a", data: 1, seriesId: "\ud800" }, "[1].seriesId"],
    [{ type: "a", data: 1, level: "fatal" }, "[1].level"],
    [{ type: "a", data: 1, seriesMode: "latest" }, "[1].seriesMode"],
    [{ type: "a", data: 1, seriesId: "s", seriesMode: "sum" }, "[1].seriesMode"],
    [{ type: "a", data: 1, producerId: "p" }, "[1].producerSeq"],
    [{ type: "a", data: 1, producerId: "p", producerSeq: 1.5 }, "[1].producerSeq"],
    [{ type: "a", data: 1, producerEpoch: 1 }, "[1].producerEpoch"],
    [{ type: "a", data: 1, more: true }, "[1].more"],
  ];
  for (const [event, path] of cases) {
    assert.deepEqual(
      await refusal(() => engine.publishEvents("t", [good, event])),
      { code: "INVALID_INPUT", path },
      path,
    );
  }
  const cyclic: Anything = {};
  cyclic.self = cyclic;
  assert.equal(
    (await refusal(() => engine.publishEvent("t", { type: "a", data: cyclic }))).code,
    "INVALID_INPUT",
  );
  assert.equal((await engine.getTask("t"))?.lastIndex, -1);
});

Deno.test("an accumulate event needs a string or null in the appended field", async () => {
  await using engine = open();
  await engine.createTask({ id: "t" });
  const series = { type: "a", seriesId: "s", seriesMode: "accumulate" };
  const bad: [event: Anything, path: string][] = [
    [{ ...series, data: { text: "Hello" } }, "seriesAccField"],
    [{ ...series, data: {} }, "seriesAccField"],
    [{ ...series, data: { delta: 7 } }, "seriesAccField"],
    [{ ...series, data: { delta: undefined } }, "seriesAccField"],
    [{ ...series, data: { delta: ["a"] } }, "seriesAccField"],
    [{ ...series, data: "Hello" }, "seriesAccField"],
    [{ ...series, data: ["Hello"], seriesAccField: "0" }, "seriesAccField"],
    [{ ...series, data: "Hello", seriesAccField: "0" }, "seriesAccField"],
    [{ ...series, data: null }, "seriesAccField"],
    [{ ...series, data: { delta: "a" }, seriesAccField: "text" }, "seriesAccField"],
    [{ ...series, data: {}, seriesAccField: "toString" }, "seriesAccField"],
    [{ ...series, data: {}, seriesAccField: "__proto__" }, "seriesAccField"],
  ];
  const refused = (act: () => Promise<unknown>, path: string) =>
    assert.rejects(act, (error: TaskcastError) => {
      assert.equal(error.code, "INVALID_INPUT");
      assert.equal(error.details?.path, path);
      assert.match(error.message, /seriesAccField.*holds a string, or null/);
      return true;
    });
  // The first event of a series, and a later one.
  for (const before of [[], [{ ...series, data: { delta: "a" } }]] as Anything[]) {
    await engine.publishEvents("t", before);
    for (const [event, path] of bad) {
      await refused(() => engine.publishEvent("t", event), path);
      await refused(() => engine.publishEvents("t", [event]), `[0].${path}`);
    }
  }
  // An event without a mode accumulates if its series does.
  for (const data of ["b", { text: "b" }, ["b"]]) {
    await refused(
      () => engine.publishEvent("t", { type: "a", seriesId: "s", data }),
      "seriesAccField",
    );
    await engine.publishEvent("t", { type: "a", seriesId: "alone", data });
  }
  assert.equal((await engine.getTask("t"))?.lastIndex, 3);
});

Deno.test("null in the appended field empties the text", async () => {
  await using engine = open();
  await engine.createTask({ id: "t" });
  const series = { type: "a", seriesId: "s", seriesMode: "accumulate" } as const;
  const seen = async () =>
    (await engine.getEvents("t", { seriesFormat: "accumulated" })).events.at(-1)?.data;
  await engine.publishEvent("t", { ...series, data: { delta: "a" } });
  await engine.publishEvent("t", { ...series, data: { delta: null, step: 2 } });
  assert.deepEqual(await seen(), { delta: null, step: 2 });
  await engine.publishEvent("t", { ...series, data: { delta: "b" } });
  await engine.publishEvent("t", { type: "a", seriesId: "s", data: { delta: "c" } });
  assert.deepEqual(await seen(), { delta: "bc" });
  await engine.publishEvent("t", { type: "a", seriesId: "s", data: { delta: null } });
  assert.deepEqual(await seen(), { delta: null });
});

Deno.test("every limit holds, and values at the limit pass", async () => {
  await using engine = open({
    maxEventsPerTask: 4,
    maxBytesPerTask: 49,
    maxEventBytes: 22,
    maxBatchEvents: 3,
    maxJsonDepth: 3,
    maxTaskBytes: 100,
  });
  const code = async (act: () => Promise<unknown>) => (await refusal(act)).code;
  await engine.createTask({ id: "t" });
  const publish = (data: unknown) => engine.publishEvent("t", { type: "a", data });
  await publish("x".repeat(20));
  assert.equal(await code(() => publish("x".repeat(21))), "PAYLOAD_TOO_LARGE");
  assert.equal(
    await code(() => publish("é".repeat(11))),
    "PAYLOAD_TOO_LARGE",
    "bytes, not characters",
  );
  await publish([[[]]]);
  assert.equal(await code(() => publish([[[[]]]])), "INVALID_INPUT");
  assert.equal(await code(() => publish("x".repeat(20))), "TASK_FULL");
  await publish(1);
  const many = (count: number) =>
    engine.publishEvents("t", Array(count).fill({ type: "a", data: 1 }));
  assert.equal(await code(() => many(4)), "INVALID_INPUT");
  assert.equal(await code(() => many(2)), "TASK_FULL");
  await many(1);
  await engine.transitionTask("t", "completed", { result: { text: "x".repeat(50) } });
  assert.equal(
    await code(() => engine.createTask({ metadata: { text: "x".repeat(100) } })),
    "PAYLOAD_TOO_LARGE",
  );
});

Deno.test("any invalid input is refused with a TaskcastError, and the engine goes on working", async () => {
  await using engine = open();
  await engine.createTask({ id: "t" });
  const calls: ((value: Anything) => Promise<unknown>)[] = [
    (value) => engine.createTask(value),
    (value) => engine.publishEvent("t", value),
    (value) => engine.publishEvents("t", value),
    (value) => engine.publishEvent(value, { type: "a", data: 1 }),
    (value) => engine.transitionTask("t", value),
    (value) => engine.transitionTask("t", "paused", value),
    (value) => engine.resolve("t", value),
    (value) => engine.getEvents("t", value),
    (value) => engine.getEvents("t", { filter: value }),
    (value) => engine.getEvents("t", { since: value }),
    (value) => engine.listTasks(value),
    (value) => engine.getTask(value),
    (value) => engine.subscribe("t", value).getReader().read(),
    (value) => engine.subscribe(value).getReader().read(),
  ];
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: calls.length - 1 }), fc.anything(), async (which, value) => {
      try {
        await calls[which]!(value);
      } catch (error) {
        assert(error instanceof TaskcastError, `call ${which}: ${error}`);
      }
    }),
    { numRuns: runs(1500) },
  );
  assert.equal((await engine.getTask("t"))?.id, "t");
});

Deno.test("an engine names the part that it was not given", () => {
  const [broadcast, shortTermStore] = [new MemoryBroadcastProvider(), new MemoryShortTermStore()];
  const cases: [options: Anything, name: string][] = [
    [{ broadcast, shortTerm: shortTermStore }, "shortTermStore"],
    [{ shortTermStore }, "broadcast"],
  ];
  for (const [options, name] of cases) {
    assert.throws(() => new TaskEngine(options), {
      name: "TypeError",
      message: `TaskEngine needs the option "${name}"`,
    });
  }
});

Deno.test("an engine is not made with sizes, times and limits that it cannot work with", () => {
  const make = (more: object) => () =>
    new TaskEngine({
      broadcast: new MemoryBroadcastProvider(),
      shortTermStore: new MemoryShortTermStore(),
      ...more,
    });
  const cases: [object, RegExp][] = [
    [{ options: { pageSize: 0 } }, /options\.pageSize.*of at least 1/],
    [{ options: { pollMs: "5" } }, /options\.pollMs/],
    [{ options: { heartbeatMs: NaN } }, /options\.heartbeatMs/],
    [{ options: { archiveDelayMs: -1 } }, /options\.archiveDelayMs.*from 0 to/],
    [{ options: { pollMs: 2 ** 31 } }, /options\.pollMs.*to 2147483647/],
    [{ options: { hotRetentionMs: Number.MAX_SAFE_INTEGER } }, /options\.hotRetentionMs/],
    [{ options: { archivePercent: 0 } }, /options\.archivePercent.*from 10 to 100/],
    [{ options: { archivePercent: 101 } }, /options\.archivePercent/],
    [{ limits: { maxBatchEvents: 0 } }, /limits\.maxBatchEvents/],
    [{ limits: { maxEventBytes: 1.5 } }, /limits\.maxEventBytes/],
  ];
  for (const [more, message] of cases) {
    assert.throws(make(more), { code: "INVALID_INPUT", message });
  }
  make({ options: { sweepMs: 0, archiveDelayMs: 0, hotRetentionMs: 0, archivePercent: 100 } })();
});

Deno.test("an option that is given as undefined has its default", async () => {
  await using engine = new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
    limits: { maxEventBytes: undefined, maxBatchEvents: 1 },
    options: { pageSize: undefined, wakesPerTurn: undefined },
  });
  const { id } = await engine.createTask();
  const stream = engine.subscribe(id);
  await engine.publishEvent(id, { type: "a", data: 1 });
  await engine.transitionTask(id, "completed");
  const kinds = (await Array.fromAsync(stream)).map(({ kind }) => kind);
  assert.deepEqual(kinds, ["open", "event", "event", "done"]);
  assert.equal(
    (await refusal(() => engine.publishEvents("none", Array(2).fill({ type: "a", data: 1 })))).code,
    "INVALID_INPUT",
  );
});
