import assert from "node:assert/strict";
import { MemoryBroadcastProvider } from "../memory/broadcast.ts";
import { MemoryShortTermStore } from "../memory/short_term_store.ts";
import { TaskcastError } from "../protocol/errors.ts";
import { nextChunk } from "../streams/chunk_source.ts";
import { TaskEngine } from "./engine.ts";
import { objectEncoder } from "../streams/object_encoder.ts";

const nextTurn = () => new Promise((resolve) => setTimeout(resolve, 0));

/** Creates an engine with a task, and records its timers. */
async function makeEngine(shortTermStore = new MemoryShortTermStore()) {
  const timers = new Set<object>();
  const engine = new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore,
    hooks: { onUnhandledError: () => {} },
    clock: {
      now: () => 0,
      setTimeout: () => {
        const timer = {};
        timers.add(timer);
        return timer;
      },
      clearTimeout: (timer) => void timers.delete(timer as object),
    },
  });
  await engine.createTask({ id: "t" });
  return { engine, timers };
}

for (const seriesFormat of ["delta", "accumulated"] as const) {
  for (const readers of [1, 40]) {
    Deno.test(`${seriesFormat}, ${readers} reader(s): what is in memory is given when the engine closes, however many chunks that is`, async () => {
      const { engine } = await makeEngine();
      const got: number[] = Array(readers).fill(0);
      const reading = got.map(async (_, reader) => {
        const { chunks } = await engine.openStream("t", { seriesFormat }, objectEncoder);
        for (;;) {
          const { value, done } = await nextChunk(chunks);
          if (done) return;
          got[reader]! += value.filter(({ kind }) => kind === "event").length;
        }
      });
      await nextTurn();
      const data = "x".repeat(4_000);
      await engine.publishEvents("t", Array.from({ length: 100 }, () => ({ type: "a", data })));
      await engine.close();
      await Promise.all(reading);
      assert.deepEqual(new Set(got), new Set([100]));
      assert.deepEqual([engine.stats.streams, engine.stats.tails], [0, 0]);
    });
  }
}

Deno.test("a reader that lags ends when the engine closes, and continues elsewhere", async () => {
  const { engine } = await makeEngine();
  const { chunks } = await engine.openStream("t", {}, objectEncoder);
  await nextChunk(chunks);
  const waits = nextChunk(chunks);
  await nextTurn();
  const data = "x".repeat(100_000);
  for (let i = 0; i < 100; i++) await engine.publishEvent("t", { type: "a", data });
  await waits;
  const fast = await engine.openStream("t", {}, objectEncoder); // Keeps the tail reading.
  void (async () => {
    while (!(await nextChunk(fast.chunks)).done);
  })();
  for (let i = 0; i < 50; i++) await nextTurn();
  await engine.close();
  let events = 0;
  for (;;) {
    const { value, done } = await nextChunk(chunks);
    if (done) break;
    events += value.length;
  }
  assert(events < 99, `${events}`);
});

for (const who of ["the reader", "the engine"]) {
  Deno.test(`${who}: nothing runs for a stream that is closed while nobody reads it`, async () => {
    const { engine, timers } = await makeEngine();
    const before = timers.size;
    const { chunks, close } = await engine.openStream("t", {}, objectEncoder);
    await nextChunk(chunks);
    const first = nextChunk(chunks);
    await nextTurn();
    await engine.publishEvent("t", { type: "a", data: 1 });
    await first;
    assert.deepEqual([engine.stats.tails, timers.size > before], [1, true]);
    await engine.publishEvent("t", { type: "a", data: 2 });
    if (who === "the engine") {
      await engine.close();
      assert.equal(timers.size, 0);
      assert.deepEqual(await nextChunk(chunks), { value: undefined, done: true }, "not read yet");
    } else {
      close();
      await nextTurn();
      assert.deepEqual([engine.stats.streams, engine.stats.tails, timers.size], [0, 0, before]);
      assert.deepEqual(await nextChunk(chunks), { value: undefined, done: true });
      await engine.close();
    }
    assert.deepEqual([engine.stats.streams, engine.stats.tails], [0, 0]);
  });
}

Deno.test("a broadcast layer that does not answer, or fails, does not hold up the end", async () => {
  const silent = () => new Promise<void>(() => {});
  const failing = () => Promise.reject(new Error("no broadcast"));
  for (const unsubscribe of [silent, failing]) {
    const reported: unknown[] = [];
    const engine = new TaskEngine({
      broadcast: {
        publish: () => Promise.resolve(),
        subscribe: () => Promise.resolve(unsubscribe),
        check: () => Promise.resolve(),
        close: () => Promise.resolve(),
      },
      shortTermStore: new MemoryShortTermStore(),
      hooks: { onUnhandledError: (error) => void reported.push(String(error)) },
    });
    await engine.createTask({ id: "t" });
    const { chunks } = await engine.openStream("t", {}, objectEncoder);
    await nextChunk(chunks);
    const end = nextChunk(chunks);
    await nextTurn();
    assert.equal(engine.stats.tails, 1);
    await engine.close();
    assert.deepEqual(await end, { value: undefined, done: true });
    await nextTurn();
    assert.deepEqual([engine.stats.streams, engine.stats.tails], [0, 0]);
    assert.deepEqual(reported, unsubscribe === failing ? ["Error: no broadcast"] : []);
  }
});

for (const who of ["a reader", "the engine"]) {
  Deno.test(`${who}: a stream of whole series ends while its store is away`, async () => {
    const store = new MemoryShortTermStore();
    let asked = 0;
    const { engine, timers } = await makeEngine(store);
    const before = timers.size;
    const open = () => engine.openStream("t", { seriesFormat: "accumulated" }, objectEncoder);
    const streams = await Promise.all([open(), open()]);
    for (const { chunks } of streams) await nextChunk(chunks);
    const ends = streams.map(({ chunks }) => nextChunk(chunks));
    await nextTurn();
    store.readFolds = () => {
      asked++;
      return Promise.reject(new TaskcastError("STORE_UNAVAILABLE", "away"));
    };
    await engine.publishEvent("t", { type: "a", data: "x", seriesId: "s" });
    await nextTurn();
    assert.equal(asked, 1);
    if (who === "the engine") {
      await engine.close();
      for (const end of ends) assert.deepEqual(await end, { value: undefined, done: true });
    } else {
      await streams[0]!.chunks.cancel();
      assert.deepEqual([engine.stats.streams, engine.stats.tails], [1, 1]);
      await streams[1]!.chunks.cancel();
    }
    await nextTurn();
    assert.deepEqual([engine.stats.streams, engine.stats.tails], [0, 0]);
    assert.equal(timers.size, who === "the engine" ? 0 : before);
  });
}

Deno.test("a store that fails when the last reader has left has no timer set", async () => {
  const store = new MemoryShortTermStore();
  const { engine, timers } = await makeEngine(store);
  const before = timers.size;
  const { chunks } = await engine.openStream("t", {}, objectEncoder);
  await nextChunk(chunks);
  void nextChunk(chunks);
  await nextTurn();
  const read = Promise.withResolvers<undefined>();
  store.readLog = () => read.promise;
  await engine.publishEvent("t", { type: "a", data: 1 });
  await nextTurn();
  await chunks.cancel();
  read.reject(new Error("no store"));
  await nextTurn();
  assert.deepEqual([engine.stats.tails, timers.size], [0, before]);
  await engine.close();
});
