import assert from "node:assert/strict";
import { systemClock } from "../contracts/clock.ts";
import type { ShortTermStore } from "../contracts/short_term_store.ts";
import { MemoryBroadcastProvider } from "../memory/broadcast.ts";
import { MemoryShortTermStore } from "../memory/short_term_store.ts";
import type { EventFilter, EventInput } from "../protocol/event.ts";
import type { FrameEncoder } from "../streams/frames.ts";
import { nextChunk } from "../streams/chunk_source.ts";
import { TaskEngine } from "./engine.ts";
import { noTracer } from "../context/no_tracer.ts";

// Costs, counted instead of timed: calls to the store and events read from it.

/** Counts calls to a store. */
class Counter {
  readonly calls: Record<string, number> = {};
  eventsRead = 0;
  readonly store: ShortTermStore;

  constructor(store: ShortTermStore) {
    this.store = new Proxy(store, {
      get: (target, name) => {
        const method = Reflect.get(target, name, target);
        if (typeof method !== "function") return method;
        return async (...args: unknown[]) => {
          this.calls[String(name)] = (this.calls[String(name)] ?? 0) + 1;
          const answer = await method.apply(target, args);
          if (name === "readLog") this.eventsRead += answer?.events.length ?? 0;
          return answer;
        };
      },
    });
  }

  /** Returns the numbers of calls since the previous reset, and resets them. */
  readAndReset(): Record<string, number> {
    const calls = { ...this.calls };
    for (const name of Object.keys(this.calls)) delete this.calls[name];
    return calls;
  }
}

function setUp(): { engine: TaskEngine; counter: Counter } {
  const counter = new Counter(new MemoryShortTermStore());
  const engine = new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: counter.store,
    options: { sweepMs: 0 },
  });
  return { engine, counter };
}

function token(delta: string): EventInput {
  return { type: "llm.delta", data: { delta }, seriesId: "answer", seriesMode: "accumulate" };
}

Deno.test("creating and publishing are one call to the store each, at event 10 as at 20 000", async () => {
  const { engine, counter } = setUp();
  await using _ = engine;
  counter.readAndReset();
  await engine.createTask({ id: "t", ttl: 3600 });
  assert.deepEqual(counter.readAndReset(), { commit: 1 });
  for (const length of [10, 1_000, 20_000]) {
    const missing = length - (await engine.getTask("t"))!.lastIndex - 1;
    for (let left = missing; left > 0; left -= 1000) {
      await engine.publishEvents("t", Array(Math.min(left, 1000)).fill(token("x")));
    }
    counter.readAndReset();
    await engine.publishEvent("t", token("y"));
    assert.deepEqual(counter.readAndReset(), { commit: 1 }, `one event after ${length}`);
    await engine.publishEvents("t", Array(100).fill(token("z")));
    assert.deepEqual(counter.readAndReset(), { commit: 1 }, `a hundred events after ${length}`);
  }
});

/** Counts the microtask turns until a call settles: one for each promise that waits in it. */
async function turnsUntil(call: Promise<unknown>): Promise<number> {
  let settled = false;
  call.finally(() => settled = true);
  let turns = 0;
  for (; !settled; turns++) await undefined;
  return turns;
}

Deno.test("a publish costs one wake-up, no timer, no unobserved span, and few promises", async (t) => {
  const broadcast = new MemoryBroadcastProvider();
  const counts = { publish: 0, trace: 0, timers: 0, performanceNow: 0 };
  const publish = broadcast.publish.bind(broadcast);
  broadcast.publish = (signal) => {
    counts.publish++;
    publish(signal);
  };
  const engine = new TaskEngine({
    broadcast,
    shortTermStore: new MemoryShortTermStore(),
    options: { sweepMs: 0 },
    clock: {
      ...systemClock,
      setTimeout: (...args) => {
        counts.timers++;
        return systemClock.setTimeout(...args);
      },
    },
    tracer: {
      isTracing: () => false,
      trace: (work, run) => {
        counts.trace++;
        return noTracer.trace(work, run);
      },
    },
  });
  await using _ = engine;
  await engine.createTask({ id: "t" });
  await engine.sweep();
  const { now } = performance;
  performance.now = () => {
    counts.performanceNow++;
    return now.call(performance);
  };
  for (const name in counts) counts[name as keyof typeof counts] = 0;
  await t.step("one after another", async () => {
    for (let i = 0; i < 10; i++) {
      const turns = await turnsUntil(engine.appendEvent("t", token("x")));
      assert(turns <= 4, `${turns} turns`);
    }
  });
  await t.step("a batch", async () => {
    const turns = await turnsUntil(engine.appendEvents("t", Array(100).fill(token("x"))));
    assert(turns <= 4, `${turns} turns`);
  });
  performance.now = now;
  assert.deepEqual(counts, { publish: 11, trace: 0, timers: 0, performanceNow: 0 });
});

Deno.test("each hook costs a copy of the task, and no hook costs none", async () => {
  const reads = [];
  for (const hooks of [{}, { onTaskTransitioned() {} }, { onTaskCreated() {} }]) {
    const engine = new TaskEngine({
      broadcast: new MemoryBroadcastProvider(),
      shortTermStore: new MemoryShortTermStore(),
      hooks,
    });
    await using _ = engine;
    let count = 0;
    const params = {
      get counted() {
        count++;
        return 1;
      },
    };
    await engine.createTask({ params });
    reads.push(count);
  }
  // The check of its form, its size, the store's copy, and the caller's.
  assert.deepEqual(reads, [4, 4, 5]);
});

Deno.test("what a publish costs does not depend on how many read, nor does reading double it", async () => {
  const { engine, counter } = setUp();
  await using _ = engine;
  await engine.createTask({ id: "t" });
  const readers = Array.from({ length: 100 }, () => engine.subscribe("t").getReader());
  await Promise.all(readers.map((reader) => reader.read()));
  const waiting = () => Promise.all(readers.map((reader) => reader.read()));
  // Each reads once what was there when it joined.
  const first = waiting();
  await engine.publishEvent("t", token("x"));
  await first;
  counter.readAndReset();
  counter.eventsRead = 0;
  for (let i = 0; i < 20; i++) {
    const next = waiting();
    await engine.publishEvent("t", token("x"));
    await next;
  }
  const { commit, readLog, ...others } = counter.readAndReset();
  assert.equal(commit, 20);
  assert(readLog! <= 21, `${readLog} reads for 20 events and 100 readers`);
  assert.equal(counter.eventsRead, 20, "each event is read once for all");
  assert.deepEqual(others, {});
  await Promise.all(readers.map((reader) => reader.cancel()));
});

Deno.test("a late join costs what it gives, however long the log is", async () => {
  const costs: unknown[] = [];
  for (const length of [1_000, 20_000]) {
    const { engine, counter } = setUp();
    await using _ = engine;
    await engine.createTask({ id: "t" });
    for (let at = 0; at < length; at += 1000) {
      await engine.publishEvents("t", Array(1000).fill(token("x")));
    }
    await engine.publishEvent("t", { type: "note", data: "plain" });
    await engine.transitionTask("t", "completed");
    counter.readAndReset();
    counter.eventsRead = 0;
    const messages = await Array.fromAsync(engine.subscribe("t"));
    const text = messages.flatMap((m) => m.kind === "event" && m.event.seriesId ? [m.event] : []);
    assert.equal((text[0]!.data as { delta: string }).delta.length, length);
    assert.equal(text.length, 1);
    costs.push({ calls: counter.readAndReset(), eventsRead: counter.eventsRead });
  }
  assert.deepEqual(costs[0], costs[1]);
});

Deno.test("resuming near the end reads only what is left", async () => {
  const { engine, counter } = setUp();
  await using _ = engine;
  await engine.createTask({ id: "t" });
  for (let at = 0; at < 10_000; at += 1000) {
    await engine.publishEvents("t", Array(1000).fill({ type: "n", data: at }));
  }
  const cursor = await (async () => {
    for await (const message of engine.subscribe("t")) {
      if (message.kind === "event" && message.event.index === 9_989) return message.cursor;
    }
  })();
  await engine.transitionTask("t", "completed");
  counter.readAndReset();
  counter.eventsRead = 0;
  const messages = await Array.fromAsync(engine.subscribe("t", { since: { id: cursor } }));
  assert.equal(messages.filter(({ kind }) => kind === "event").length, 11);
  assert(counter.eventsRead <= 11, `${counter.eventsRead} events read`);
  const calls = Object.values(counter.readAndReset()).reduce((sum, n) => sum + n, 0);
  assert(calls <= 4, `${calls} calls`);
});

Deno.test("idle readers ask the store for nothing between polls", async () => {
  const { engine, counter } = setUp();
  await using _ = engine;
  await engine.createTask({ id: "t" });
  await engine.createTask({ id: "other" });
  const reader = engine.subscribe("t").getReader();
  await reader.read();
  for (let i = 0; i < 2; i++) {
    const live = reader.read();
    await engine.publishEvent("t", token("x"));
    await live;
  }
  const next = reader.read();
  await Promise.resolve();
  counter.readAndReset();
  for (let i = 0; i < 50; i++) await engine.publishEvent("other", token("x"));
  assert.deepEqual(counter.readAndReset(), { commit: 50 });
  await reader.cancel();
  await next;
});

Deno.test("no read takes more than a page of bytes, however large the events", async () => {
  const pages: number[] = [];
  const store = new MemoryShortTermStore();
  const engine = new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new Proxy(store, {
      get(target, name) {
        const method = Reflect.get(target, name, target);
        if (name !== "readLog") return typeof method === "function" ? method.bind(target) : method;
        return async (...args: Parameters<ShortTermStore["readLog"]>) => {
          const page = await target.readLog(...args);
          pages.push(page?.events.reduce((sum, { data }) => sum + data.length, 0) ?? 0);
          return page;
        };
      },
    }),
    options: { sweepMs: 0, pageBytes: 10_000, historyBytes: 30_000 },
  });
  const text = "x".repeat(4_000);
  await engine.createTask({ id: "t" });
  for (let i = 0; i < 50; i++) {
    const series = i % 2 ? {} : { seriesId: `s${i}`, seriesMode: "accumulate" as const };
    await engine.publishEvent("t", { type: "n", data: { delta: text }, ...series });
  }
  await engine.transitionTask("t", "completed");
  for (const seriesFormat of ["delta", "accumulated"] as const) {
    for (const since of [{}, { timestamp: 0 }]) {
      for (const limit of [undefined, 30]) {
        const stream = engine.subscribe("t", { seriesFormat, since, limit });
        const events = (await Array.fromAsync(stream)).filter(({ kind }) => kind === "event");
        assert.equal(events.length, limit ?? 51);
      }
    }
    // History continues on the next page.
    const sizes: number[] = [];
    let cursor: string | undefined;
    do {
      const page = await engine.getEvents("t", { seriesFormat, since: { id: cursor } });
      sizes.push(page.events.length);
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    assert.equal(sizes.reduce((sum, size) => sum + size), 51);
    assert(sizes.every((size) => size <= 10), sizes.join());
  }
  assert(Math.max(...pages) < 10_000 + text.length + 100, `${Math.max(...pages)}`);
  await engine.close();
});

/** A chunk is the number of its frames; all that are encoded are counted. */
function countingEncoder(): FrameEncoder<number> & { encoded: number } {
  const encoder = {
    encoded: 0,
    key: "counting",
    open: () => 0,
    heartbeat: () => undefined,
    done: () => 0,
    buffer() {
      let end = 0;
      return {
        get end() {
          return end;
        },
        get bytes() {
          return 200 * end;
        },
        append() {
          end++;
          encoder.encoded++;
        },
        slice: (start: number) => end - start,
      };
    },
  };
  return encoder;
}

/** Returns waiting readers, and a function that counts the chunks that each gets of a burst. */
async function waitingReaders(
  engine: TaskEngine,
  encoder: FrameEncoder<number>,
  filters: EventFilter[],
): Promise<(events: number) => Promise<number[]>> {
  const streams = await Promise.all(
    filters.map((filter) => engine.openStream("t", { filter }, encoder)),
  );
  await Promise.all(streams.map(({ chunks }) => nextChunk(chunks)));
  const waits = streams.map(({ chunks }) => nextChunk(chunks));
  return (events) =>
    Promise.all(streams.map(async ({ chunks }, i) => {
      let count = 1;
      let frames = (await waits[i]!).value!;
      for (; frames < events; count++) frames += (await nextChunk(chunks)).value!;
      assert.equal(frames, events);
      waits[i] = nextChunk(chunks);
      return count;
    }));
}

Deno.test("a burst of 1 000 events is encoded once, and each reader gets it in a chunk or two", async () => {
  const { engine } = setUp();
  await using _ = engine;
  await engine.createTask({ id: "t" });
  const encoder = countingEncoder();
  const receive = await waitingReaders(engine, encoder, Array(200).fill({}));
  await engine.publishEvent("t", { type: "n", data: 0 }); // All have read the store once.
  await receive(1);
  for (let burst = 1; burst <= 3; burst++) {
    encoder.encoded = 0;
    const receiving = receive(1_000);
    await engine.publishEvents("t", Array(1_000).fill({ type: "n", data: 0 }));
    const chunks = await receiving;
    // The tail reads two pages.
    assert(Math.max(...chunks) <= 2, `${Math.max(...chunks)} chunks`);
    assert.equal(encoder.encoded, 1_000);
  }
});

Deno.test("three filters cost three encodings, however many read and however they are written", async () => {
  const { engine } = setUp();
  await using _ = engine;
  await engine.createTask({ id: "t" });
  const encoder = countingEncoder();
  const filters: EventFilter[] = Array.from(
    { length: 20 },
    () => [{}, { types: ["n", "m"] }, { types: ["m", "n"] }, { levels: ["info" as const] }],
  ).flat();
  const receive = await waitingReaders(engine, encoder, filters);
  await engine.publishEvent("t", { type: "n", data: 0 });
  await receive(1);
  encoder.encoded = 0;
  const receiving = receive(100);
  await engine.publishEvents("t", Array(100).fill({ type: "n", data: 0 }));
  await receiving;
  assert.equal(encoder.encoded, 300);
});

Deno.test("a page of history costs the same at the start, in the middle and at the end", async () => {
  const { engine, counter } = setUp();
  await using _ = engine;
  await engine.createTask({ id: "t" });
  for (let at = 0; at < 20_000; at += 1000) {
    await engine.publishEvents("t", Array(1000).fill({ type: "n", data: at }));
  }
  for (const filter of [{}, { types: ["n"] }]) {
    const costs = [];
    for (const index of [100, 10_000, 19_000]) {
      counter.readAndReset();
      counter.eventsRead = 0;
      const page = await engine.getEvents("t", { since: { index }, filter, limit: 100 });
      assert.equal(page.events.length, 100);
      const bySinceIndex = { calls: counter.readAndReset(), eventsRead: counter.eventsRead };
      counter.eventsRead = 0;
      const { nextCursor: id } = page;
      await engine.getEvents("t", { since: { id }, filter, limit: 100 });
      costs.push({
        bySinceIndex,
        byCursor: counter.readAndReset(),
        eventsRead: counter.eventsRead,
      });
    }
    assert.deepEqual(costs[1], costs[0]);
    assert.deepEqual(costs[2], costs[0]);
    assert(costs[0]!.eventsRead <= 101, `${costs[0]!.eventsRead} events read for 100`);
  }
});
