import assert from "node:assert/strict";
import { MemoryBroadcastProvider } from "../memory/broadcast.ts";
import { MemoryShortTermStore } from "../memory/short_term_store.ts";
import type { Clock } from "../contracts/clock.ts";
import type { EngineOptions } from "../context/context.ts";
import type { StreamMessage } from "./object_encoder.ts";
import type { TaskStream } from "./task_stream.ts";
import { nextChunk } from "./chunk_source.ts";
import { TaskEngine } from "../engine/engine.ts";
import { objectEncoder } from "./object_encoder.ts";

/** Lets all pending work finish; the memory store answers at once. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

/** An engine in which only an event wakes a reader. */
const engineWithoutTimers = (
  options: Partial<EngineOptions> = {},
  setTimeout: Clock["setTimeout"] = () => 0,
) =>
  new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
    options,
    clock: { now: () => 0, setTimeout, clearTimeout: () => {} },
  });

for (const seriesFormat of ["delta", "accumulated"] as const) {
  Deno.test(`${seriesFormat}: an event that comes in the moment when a reader begins to wait wakes it`, async () => {
    for (let turns = 0; turns < 60; turns++) {
      await using engine = engineWithoutTimers();
      await engine.createTask({ id: "t" });
      await engine.publishEvent("t", { type: "a", data: 0 });
      const got: number[] = [];
      const read = async (stream: ReadableStream<StreamMessage>, reader: number) => {
        for await (const { kind } of stream) if (kind === "event") got[reader]! += 1;
      };
      const leave = new AbortController();
      const options = { seriesFormat, signal: leave.signal };
      got.push(0, 0);
      // The first reader waits already, so that the tail continues reading while the second joins.
      const readers = [read(engine.subscribe("t", options), 0)];
      await settle();
      readers.push(read(engine.subscribe("t", options), 1));
      for (let turn = 0; turn < turns; turn++) await null;
      await engine.publishEvent("t", { type: "a", data: 1 });
      await settle();
      assert.deepEqual(got, [2, 2], `an event ${turns} turns after the reader came`);
      leave.abort();
      await Promise.allSettled(readers);
    }
  });
}

for (const seriesFormat of ["delta", "accumulated"] as const) {
  Deno.test(`${seriesFormat}: an event that comes in the moment when the tail has read everything is read, too`, async () => {
    for (let turns = 0; turns < 60; turns++) {
      await using engine = engineWithoutTimers();
      await engine.createTask({ id: "t" });
      const { chunks } = await engine.openStream("t", { seriesFormat }, objectEncoder);
      let got = 0;
      const request = {
        // Requests the next chunk at once, and so never leaves the waiting list.
        onChunk(messages: StreamMessage[]) {
          for (const { kind } of messages) if (kind === "event") got++;
          chunks.read(request);
        },
        onEnd: () => {},
        onError: () => {},
      };
      chunks.read(request);
      await settle();
      const publishing = engine.publishEvent("t", { type: "a", data: 0 });
      for (let turn = 0; turn < turns; turn++) await null;
      await engine.publishEvent("t", { type: "a", data: 1 });
      await publishing;
      await settle();
      assert.equal(got, 2, `an event ${turns} turns after another`);
      await chunks.cancel();
    }
  });
}

Deno.test("a reader that is given a chunk and reads another stream takes no wake-up from others of that", async () => {
  await using engine = engineWithoutTimers();
  await engine.createTask({ id: "t" });
  const open = async (types?: string[]) => {
    const { chunks } = await engine.openStream("t", { filter: { types } }, objectEncoder);
    await nextChunk(chunks); // The opening.
    return chunks;
  };
  const [filtered, chained, waiting] = [await open(["a"]), await open(), await open()];
  const first = nextChunk(filtered);
  // Both are live, and share frames.
  const joined = [nextChunk(chained), nextChunk(waiting)];
  await settle();
  await engine.publishEvent("t", { type: "a", data: 0 });
  await Promise.all([first, ...joined]);
  const got: string[] = [];
  const into = (name: string, then?: () => void) => ({
    onChunk() {
      got.push(name);
      then?.();
    },
    onEnd: () => {},
    onError: () => {},
  });
  filtered.read(into("filtered", () => chained.read(into("chained"))));
  waiting.read(into("waiting"));
  await engine.publishEvent("t", { type: "a", data: 1 });
  await settle();
  assert.deepEqual(got, ["filtered", "chained", "waiting"]);
  await Promise.all([filtered, chained, waiting].map((chunks) => chunks.cancel()));
});

Deno.test("a stream that was being opened when the engine closed ends after its opening", async () => {
  const engine = engineWithoutTimers();
  await engine.createTask({ id: "t" });
  const opening = engine.openStream("t", {}, objectEncoder);
  await engine.close();
  const { chunks } = await opening;
  await nextChunk(chunks); // The opening.
  let isOver = false;
  void nextChunk(chunks).then(({ done }) => isOver = done === true);
  await settle();
  assert(isOver);
  assert.equal(engine.stats.streams, 0);
});

for (const what of ["a task", "all tasks"]) {
  Deno.test(`a stream of ${what} that is first read when the engine has closed ends`, async () => {
    const engine = engineWithoutTimers();
    await engine.createTask({ id: "t" });
    const { chunks } = what === "a task"
      ? await engine.openStream("t", {}, objectEncoder)
      : await engine.openStreamOfAll({}, objectEncoder);
    await engine.close();
    let isOver = false;
    const read = async () => {
      while (!isOver) isOver = (await nextChunk(chunks)).done === true;
    };
    void read();
    for (let turn = 0; turn < 5; turn++) await settle();
    assert(isOver);
    assert.equal(engine.stats.streams, 0);
  });
}

Deno.test("a reader of all tasks that throws is reported and removed, and affects no others", async () => {
  const reported: unknown[] = [];
  await using engine = new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
    hooks: { onUnhandledError: (error, { operation }) => void reported.push([error, operation]) },
  });
  const { chunks } = await engine.openStreamOfAll({}, objectEncoder);
  const fault = new Error("a fault of the reader's");
  chunks.read({
    onChunk() {
      throw fault;
    },
    onEnd: () => {},
    onError: (error) => void reported.push(error),
  });
  await settle();
  await engine.createTask({ id: "t" });
  await engine.publishEvent("t", { type: "a", data: 0 });
  while (engine.stats.streams > 0 || reported.length === 0) await settle();
  assert.deepEqual(reported, [[fault, "subscription of all tasks"]]);
});

for (const way of ["close", "cancel", "throw"] as const) {
  Deno.test(`a reader that leaves while it is given a chunk leaves the others alone: ${way}`, async () => {
    const reported: unknown[] = [];
    await using engine = new TaskEngine({
      broadcast: new MemoryBroadcastProvider(),
      shortTermStore: new MemoryShortTermStore(),
      hooks: { onUnhandledError: (error) => void reported.push(error) },
    });
    await engine.createTask({ id: "t" });
    const open = async () => {
      const stream = await engine.openStream("t", {}, objectEncoder);
      await nextChunk(stream.chunks); // The opening.
      return stream;
    };
    const streams = [await open(), await open(), await open()];
    const got = [0, 0, 0];
    const follow = (stream: TaskStream<StreamMessage[]>, i: number) =>
      stream.chunks.read({
        onChunk(messages) {
          got[i]! += messages.length;
          if (i !== 1 || got[i] === 1) return follow(stream, i);
          if (way === "throw") throw new Error("a fault of the reader's");
          stream.close();
          if (way === "cancel") void stream.chunks.cancel();
        },
        onEnd: () => {},
        onError: (error) => void reported.push(error),
      });
    streams.forEach(follow);
    for (let data = 0; data < 5; data++) {
      await settle();
      await engine.publishEvent("t", { type: "a", data });
    }
    await settle();
    assert.deepEqual(got, [5, 2, 5]);
    if (way === "close") await streams[1]!.chunks.cancel();
    assert.deepEqual([engine.stats.streams, engine.stats.tails], [2, 1]);
    assert.equal(reported.length, way === "throw" ? 1 : 0);
  });
}

/** Readers of `t` that request one chunk after another, and note the data of its events. */
async function noteChunks(
  engine: TaskEngine,
  { count, encoder = objectEncoder, onChunk = () => {} }: {
    count: number;
    encoder?: typeof objectEncoder;
    /** Called when a reader has received events. */
    onChunk?: () => void;
  },
): Promise<string[][]> {
  const noted: string[][] = [];
  for (let i = 0; i < count; i++) {
    const { chunks } = await engine.openStream("t", {}, encoder);
    const notes: string[] = [];
    noted.push(notes);
    const request = {
      onChunk(messages: StreamMessage[]) {
        const said = messages.filter(({ kind }) => kind !== "open").map((message) =>
          message.kind === "event" ? message.event.data : message.kind
        );
        if (said.length > 0) {
          notes.push(said.join());
          onChunk();
        }
        chunks.read(request);
      },
      onEnd: () => notes.push("end"),
      onError: () => notes.push("error"),
    };
    chunks.read(request);
  }
  await settle();
  return noted;
}

/** Lets pending work finish, except for work that waits for the next turn. */
const microtasks = async () => {
  for (let i = 0; i < 50; i++) await null;
};

Deno.test("a few readers of a task hear of an event at once, the others in turns, with what came meanwhile", async () => {
  await using engine = engineWithoutTimers({ wakesPerTurn: 2 });
  await engine.createTask({ id: "t" });
  const noted = await noteChunks(engine, { count: 7 });
  for (const data of ["a", "b", "c"]) {
    await engine.publishEvent("t", { type: "x", data });
    await microtasks();
  }
  assert.deepEqual(noted, [["a"], ["a"], [], [], [], [], []]);
  for (let i = 0; i < 10; i++) await settle();
  const others = Array.from({ length: 5 }, () => ["a,b,c"]);
  assert.deepEqual(noted, [["a", "b,c"], ["a", "b,c"], ...others]);
});

Deno.test("readers are woken before more than a chunk has to be kept for them", async () => {
  await using engine = engineWithoutTimers({ wakesPerTurn: 1 });
  await engine.createTask({ id: "t" });
  const noted = await noteChunks(engine, { count: 5 });
  const data = "x".repeat(10_000);
  for (let i = 0; i < 20; i++) {
    await engine.publishEvent("t", { type: "x", data });
    await microtasks();
  }
  // All within one turn.
  for (const notes of noted) {
    const sizes = notes.map((note) => note.length);
    assert(sizes.length > 2, `${sizes}`);
    assert(Math.max(...sizes) < 70_000, `${sizes}`);
  }
});

Deno.test("readers that wait for their turn read from memory, however many shared frames there are", async () => {
  await using engine = engineWithoutTimers({ wakesPerTurn: 4 });
  let alone = 0;
  engine.observe({ onLaggingRead: (events) => alone += events });
  await engine.createTask({ id: "t" });
  const views = 20;
  const events = 300;
  const got = Array(10 * views).fill(0);
  for (const [reader] of got.entries()) {
    const filter = { types: ["x", `of view ${reader % views}`] };
    const stream = await engine.openStream("t", { filter }, objectEncoder);
    const read = async () => {
      for (;;) {
        const { value, done } = await nextChunk(stream.chunks);
        if (done) return;
        got[reader] += value.filter(({ kind }) => kind === "event").length;
      }
    };
    void read();
  }
  await settle();
  for (let i = 0; i < events; i++) {
    await engine.publishEvent("t", { type: "x", data: "x".repeat(3_000) });
    if (i % 7 === 0) await settle();
  }
  while (got.some((count) => count < events)) await settle();
  assert.deepEqual([new Set(got), alone], [new Set([events]), 0]);
});

for (const where of ["outside", "a reader"]) {
  Deno.test(`who closes the engine gives readers what they have not heard of: from ${where}`, async () => {
    const engine = engineWithoutTimers({ wakesPerTurn: 1 });
    await engine.createTask({ id: "t" });
    const noted = await noteChunks(engine, {
      count: 5,
      onChunk: () => {
        if (where === "a reader") void engine.close();
      },
    });
    await engine.publishEvent("t", { type: "x", data: "a" });
    await microtasks();
    await engine.close();
    await settle();
    assert.deepEqual(noted, Array(5).fill(["a", "end"]));
  });
}

Deno.test("a heartbeat never names a position that the reader has not received", async () => {
  let beat = () => {};
  await using engine = engineWithoutTimers(
    { wakesPerTurn: 1, heartbeatMs: 7 },
    (callback, delayMs) => {
      if (delayMs === 7) beat = callback;
    },
  );
  await engine.createTask({ id: "t" });
  // A heartbeat that is recognisable as a chunk of its own.
  const encoder = { ...objectEncoder, heartbeat: () => [{ kind: "beat" }] as never };
  const noted = await noteChunks(engine, { count: 3, encoder });
  beat();
  await engine.publishEvent("t", { type: "x", data: "a" });
  await microtasks();
  assert.deepEqual(noted, [["beat"], [], []]);
  for (let i = 0; i < 10; i++) await settle();
  assert.deepEqual(noted, [["beat", "a"], ["a"], ["a"]]);
});

Deno.test("many readers get one heartbeat each time, also those that wait again a turn later", async () => {
  let beat = () => {};
  await using engine = engineWithoutTimers({ heartbeatMs: 7 }, (callback, delayMs) => {
    if (delayMs === 7) beat = callback;
  });
  await engine.createTask({ id: "t" });
  const encoder = { ...objectEncoder, heartbeat: () => [{ kind: "beat" }] as never };
  const beats = Array(100).fill(0);
  for (const [reader] of beats.entries()) {
    const { chunks } = await engine.openStream("t", {}, encoder);
    const read = async () => {
      for (;;) {
        const { value, done } = await nextChunk(chunks);
        if (done) return;
        if ((value[0]?.kind as string) === "beat") beats[reader] += 1;
      }
    };
    void read();
  }
  await settle();
  for (let count = 1; count <= 2; count++) {
    beat();
    for (let i = 0; i < 20; i++) await settle();
    assert.deepEqual(new Set(beats), new Set([count]));
  }
});
