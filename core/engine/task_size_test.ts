import assert from "node:assert/strict";
import type { ShortTermStore } from "../contracts/short_term_store.ts";
import { MemoryBroadcastProvider } from "../memory/broadcast.ts";
import { MemoryShortTermStore } from "../memory/short_term_store.ts";
import { decodeCursor } from "../protocol/cursor.ts";
import type { EventFilter, EventInput, SeriesFormat } from "../protocol/event.ts";
import type { EngineOptions } from "../context/context.ts";
import type { StreamMessage } from "../streams/object_encoder.ts";
import { TaskEngine } from "./engine.ts";
import { nextTurn } from "../streams/waking/next_turn.ts";

// The cost of late readers of a large task, counted in bytes read from the store at a time.

/** Counts the bytes that readers get from a store, and calls a function before each read. */
class Observed {
  calls: Record<string, number> = {};
  folds = 0;
  textBytes = 0;
  events = 0;
  /** Maximum number of bytes that one call returned. */
  most = 0;
  before: (name: string) => Promise<unknown> | undefined = () => undefined;
  readonly store: ShortTermStore;

  constructor(store: ShortTermStore = new MemoryShortTermStore()) {
    this.store = new Proxy(store, {
      get: (target, name) => {
        const method = Reflect.get(target, name, target);
        if (typeof method !== "function") return method;
        if (name !== "readFolds" && name !== "readLog") return method.bind(target);
        return async (...args: unknown[]) => {
          await this.before(name);
          const answer = await method.apply(target, args);
          this.calls[name] = (this.calls[name] ?? 0) + 1;
          let bytes = 0;
          for (const { text = "" } of answer?.folds ?? []) bytes += text.length;
          this.folds += answer?.folds?.length ?? 0;
          this.textBytes += bytes;
          for (const { data } of answer?.events ?? []) bytes += data.length;
          this.events += answer?.events?.length ?? 0;
          this.most = Math.max(this.most, bytes);
          return answer;
        };
      },
    });
  }

  reset(): void {
    this.calls = {};
    this.folds =
      this.textBytes =
      this.events =
      this.most =
        0;
  }
}

function setUp(options: Partial<EngineOptions> = {}): { engine: TaskEngine; observed: Observed } {
  const observed = new Observed();
  const engine = new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: observed.store,
    options: { sweepMs: 0, ...options },
  });
  return { engine, observed };
}

function token(seriesId: string, delta: string, type = "llm.delta"): EventInput {
  return { type, data: { delta }, seriesId, seriesMode: "accumulate" };
}

async function fill(engine: TaskEngine, series: number, delta: string): Promise<void> {
  await engine.createTask({ id: "t" });
  for (let from = 0; from < series; from += 500) {
    const some = Array.from({ length: Math.min(500, series - from) }, (_, i) => from + i);
    await engine.publishEvents("t", some.map((i) => token(`s${i}`, delta)));
  }
}

/** Builds the state of a reader from its messages, as the contract requires of clients. */
class Client {
  readonly texts = new Map<string, string>();
  readonly indexes: number[] = [];
  snapshots = 0;
  #cursor?: string;

  /** Cursors are partial until the end of the replay. */
  get isWhole(): boolean {
    return decodeCursor(this.#cursor ?? "")?.kind === "exact";
  }

  receive(message: StreamMessage): void {
    if (message.kind !== "event") return;
    const { event, cursor } = message;
    assert(event.index > (this.indexes.at(-1) ?? -1), "events come in index order");
    this.indexes.push(event.index);
    this.#cursor = cursor;
    if (event.seriesId === undefined) return;
    const { delta } = event.data as { delta: string };
    const before = event.seriesSnapshot ? "" : this.texts.get(event.seriesId);
    assert(before !== undefined, "a series begins with a snapshot");
    this.texts.set(event.seriesId, before + delta);
    if (event.seriesSnapshot) this.snapshots++;
  }
}

Deno.test("readers that do not read hold one page and one text each, however large the task", async () => {
  const text = "x".repeat(100_000);
  for (const format of ["delta", "accumulated"] as const) {
    const read: number[] = [];
    for (const series of [20, 80]) {
      const { engine, observed } = setUp({ pageBytes: 250_000 });
      await using _ = engine;
      await fill(engine, series, text);
      observed.reset();
      const readers = Array.from(
        { length: 16 },
        () => engine.subscribe("t", { seriesFormat: format }).getReader(),
      );
      for (const reader of readers) {
        await reader.read(); // The opening.
        await reader.read(); // The first snapshot, and nothing more.
      }
      for (let i = 0; i < 50; i++) await new Promise<void>(nextTurn);
      assert(observed.most <= 250_000 + 2 * text.length, `${observed.most} bytes at once`);
      read.push(observed.textBytes / 16 / text.length);
      await Promise.all(readers.map((reader) => reader.cancel()));
    }
    assert.equal(read[0], read[1], "what is read does not grow with the task");
    assert(read[0]! <= 6, `${read[0]} texts for each reader`);
  }
});

Deno.test("series that grow are sent in pages, too, when they are sent as a whole", async () => {
  const { engine, observed } = setUp({ pageBytes: 30_000 });
  await using _ = engine;
  await fill(engine, 20, "x".repeat(10_000));
  const reader = engine.subscribe("t", { seriesFormat: "accumulated" }).getReader();
  const client = new Client();
  const readUntil = async (isDone: () => boolean) => {
    while (!isDone()) client.receive((await reader.read()).value!);
  };
  await readUntil(() => client.snapshots === 20);
  observed.reset();
  const whole = (length: number) => () =>
    client.texts.size === 20 && [...client.texts.values()].every((text) => text.length === length);
  await engine.publishEvents("t", Array.from({ length: 20 }, (_, i) => token(`s${i}`, "y")));
  await readUntil(whole(10_001));
  assert(observed.most <= 45_000, `${observed.most} bytes at once`);
  assert.equal(observed.folds, 20);
  await reader.cancel();
});

Deno.test("a late join reads each fold once, in slices between which others have turns", async () => {
  const costs: number[] = [];
  for (const series of [4_000, 8_000]) {
    const { engine, observed } = setUp({ pageSize: 100 });
    await using _ = engine;
    await fill(engine, series, "x");
    await engine.transitionTask("t", "completed");
    observed.reset();
    let isReading = true;
    let foldsBefore = 0;
    let most = 0;
    const turns = (async () => {
      while (isReading) {
        await new Promise<void>(nextTurn);
        most = Math.max(most, observed.folds - foldsBefore);
        foldsBefore = observed.folds;
      }
    })();
    const client = new Client();
    for await (const message of engine.subscribe("t")) client.receive(message);
    isReading = false;
    await turns;
    assert.equal(client.texts.size, series);
    assert.equal(observed.folds, series);
    assert(most <= 200, `${most} folds in one turn`);
    costs.push(observed.calls.readFolds! + observed.calls.readLog!);
  }
  assert(costs[1]! <= 2 * costs[0]! + 2, `${costs[0]} and ${costs[1]} calls`);
});

Deno.test("a page of history with whole series costs that page only, however many series there are", async () => {
  const { engine, observed } = setUp();
  await using _ = engine;
  await fill(engine, 3_000, "x");
  let cursor: string | undefined;
  for (let i = 0; i < 5; i++) {
    observed.reset();
    const page = await engine.getEvents("t", {
      seriesFormat: "accumulated",
      limit: 1,
      since: cursor === undefined ? {} : { id: cursor },
    });
    assert.deepEqual(page.events.map(({ seriesId }) => seriesId), [`s${i}`]);
    assert(observed.folds <= 4, `${observed.folds} folds`);
    assert.equal(observed.calls.readFolds, 1);
    cursor = page.nextCursor;
  }
});

Deno.test("pages of history with whole series add up to the whole history", async () => {
  const { engine } = setUp({ pageSize: 16, pageBytes: 100 });
  await using _ = engine;
  await fill(engine, 300, "xyz");
  await engine.publishEvents("t", Array.from({ length: 90 }, (_, i) => token(`s${i * 3}`, "!")));
  const texts = new Map<string, string>();
  let since = {};
  for (;;) {
    const { events, nextCursor } = await engine.getEvents("t", {
      seriesFormat: "accumulated",
      limit: 7,
      since,
    });
    for (const { seriesId, data } of events) {
      if (seriesId !== undefined) texts.set(seriesId, (data as { delta: string }).delta);
    }
    if (nextCursor === undefined) break;
    since = { id: nextCursor };
  }
  const expected = Array.from({ length: 300 }, (_, i) => i < 270 && i % 3 === 0 ? "xyz!" : "xyz");
  assert.deepEqual(Array.from({ length: 300 }, (_, i) => texts.get(`s${i}`)), expected);
});

Deno.test("a late join ends even if every series grows between any two reads", async () => {
  const series = 60;
  const { engine, observed } = setUp({ pageSize: 200, pageBytes: 5_000 });
  await using _ = engine;
  await fill(engine, series, "x".repeat(2_000));
  let rounds = 0;
  let isWriting = true;
  observed.before = () =>
    isWriting
      ? engine.publishEvents(
        "t",
        Array.from({ length: series }, (_, i) => token(`s${i}`, `${rounds},`)),
      ).then(() => void rounds++)
      : undefined;
  observed.reset();
  const client = new Client();
  const reader = engine.subscribe("t").getReader();
  while (!client.isWhole) client.receive((await reader.read()).value!);
  assert.equal(client.texts.size, series);
  assert(client.snapshots <= 2 * series, `${client.snapshots} snapshots of ${series} series`);
  const texts = observed.textBytes / 2_000;
  assert(texts < 6 * series, `${texts} texts were read, of ${series}`);
  isWriting = false;
  observed.before = () => undefined;
  await engine.transitionTask("t", "completed");
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    client.receive(value);
  }
  const whole = "x".repeat(2_000) + Array.from({ length: rounds }, (_, i) => `${i},`).join("");
  for (const [id, text] of client.texts) assert.equal(text, whole, id);
});

Deno.test("a text that never stops growing is sent once, even if it grows faster than it is read", async () => {
  const { engine, observed } = setUp({ pageSize: 50, pageBytes: 1_000 });
  await using _ = engine;
  await fill(engine, 30, "x".repeat(500));
  let isWriting = true;
  let written = 0;
  observed.before = () =>
    isWriting ? engine.publishEvent("t", token("s29", `${written++};`)) : undefined;
  const client = new Client();
  const reader = engine.subscribe("t").getReader();
  while (!client.isWhole) client.receive((await reader.read()).value!);
  assert.equal(client.texts.size, 30);
  assert(client.snapshots <= 31, `${client.snapshots} snapshots`);
  isWriting = false;
  await engine.transitionTask("t", "completed");
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    client.receive(value);
  }
  const said = Array.from({ length: written }, (_, i) => `${i};`).join("");
  assert.equal(client.texts.get("s29"), "x".repeat(500) + said);
});

const SPLIT: { filter: EventFilter; format: SeriesFormat }[] = [
  { filter: { types: ["a"] }, format: "delta" },
  { filter: { types: ["a"] }, format: "accumulated" },
];

for (const { filter, format } of SPLIT) {
  Deno.test(`${format}: series of which a filter takes a part are folded a page of texts at a time`, async () => {
    const series = 40;
    const { engine, observed } = setUp({ pageSize: 64, pageBytes: 4_000 });
    await using _ = engine;
    await engine.createTask({ id: "t" });
    for (let round = 0; round < 10; round++) {
      const events = Array.from({ length: series }, (_, i) => i).flatMap((i) => [
        token(`s${(i * 7) % series}`, "a".repeat(60), "a"),
        token(`s${(i * 7) % series}`, "b", "b"),
      ]);
      await engine.publishEvents("t", events);
    }
    await engine.transitionTask("t", "completed");
    observed.reset();
    const client = new Client();
    for await (const message of engine.subscribe("t", { filter, seriesFormat: format })) {
      client.receive(message);
    }
    assert.equal(client.snapshots, series);
    for (const text of client.texts.values()) assert.equal(text, "a".repeat(600));
    assert(observed.most <= 4_000 + 700, `${observed.most} bytes at once`);
    // Once to find the order, and once for each page of texts.
    const passes = observed.events / (series * 10);
    assert(passes <= 2 + series * 600 / 3_000, `${passes} passes through the log`);
  });
}

Deno.test("limit returns the last items even if their folds take several pages", async () => {
  const { engine } = setUp({ pageSize: 8, pageBytes: 500 });
  await using _ = engine;
  await fill(engine, 50, "x".repeat(30));
  await engine.publishEvents("t", [
    { type: "note", data: 1 },
    ...[7, 3, 30].map((i) => token(`s${i}`, "y", i === 3 ? "other" : "llm.delta")),
    { type: "note", data: 2 },
  ]);
  await engine.transitionTask("t", "completed");
  const items = async (limit: number, filter?: EventFilter) => {
    const messages = await Array.fromAsync(engine.subscribe("t", { limit, filter }));
    return messages.flatMap((m) => m.kind === "event" ? [m.event.seriesId ?? m.event.type] : []);
  };
  assert.deepEqual(await items(3), ["s30", "note", "taskcast:status"]);
  const all = await items(10);
  assert.deepEqual(all, ["s46", "s47", "s48", "s49", "note", "s7", "s3", "s30", "note", all[9]]);
  const texts = { types: ["llm.delta"] };
  assert.deepEqual(await items(3, texts), ["s49", "s7", "s30"]);
  // The filter matches only the first event of s3, which has not moved.
  const last = await items(50, texts);
  assert.equal(last.length, 50);
  assert.equal(last.indexOf("s3"), 3);
  assert.deepEqual(await items(0), []);
});
