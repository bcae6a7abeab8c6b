import assert from "node:assert/strict";
import fc from "fast-check";
import type { BroadcastProvider, LongTermStore, ShortTermStore } from "@taskcast/core/adapter";
import { MemoryBroadcastProvider, TaskEngine } from "@taskcast/core";
import { compileFilter } from "@taskcast/core/adapter";
import { delayReads, lossyBroadcast } from "@taskcast/core/conformance";
import type { EventFilter, EventInput, SeriesFormat, TaskEvent } from "@taskcast/core/protocol";
import { runs } from "./runs.ts";

// The main property: for every interleaving of producers, readers, cuts and slowness, every reader
// ends up with exactly the matching events in order, and with the same text as a fold of the log.

const SERIES = {
  answer: "accumulate",
  thoughts: "accumulate",
  asides: "accumulate",
  sources: "accumulate",
  progress: "latest",
  steps: "keep-all",
} as const;

function isAppended(seriesId: keyof typeof SERIES | undefined): boolean {
  return seriesId !== undefined && SERIES[seriesId] === "accumulate";
}

const eventArb: fc.Arbitrary<EventInput> = fc.record({
  type: fc.constantFrom("a.x", "a.y", "b"),
  level: fc.constantFrom("info", "debug"),
  seriesId: fc.constantFrom(undefined, ...Object.keys(SERIES) as (keyof typeof SERIES)[]),
  delta: fc.oneof(
    { weight: 9, arbitrary: fc.string({ maxLength: 4, unit: "binary" }) },
    { weight: 1, arbitrary: fc.constantFrom(null, 7, { deep: 1 }) },
  ),
}).map(({ type, level, seriesId, delta }): EventInput => ({
  type,
  level,
  // Accumulate series take texts, and null to start over.
  data: { delta: isAppended(seriesId) && typeof delta !== "string" ? null : delta },
  ...(seriesId === undefined ? {} : { seriesId, seriesMode: SERIES[seriesId] }),
}));

const filterArb: fc.Arbitrary<EventFilter> = fc.record({
  types: fc.constantFrom(undefined, ["*"], ["a.*"], ["a.x", "b"], ["taskcast:status"]),
  levels: fc.constantFrom(undefined, ["info"] as ["info"]),
  includeStatus: fc.constantFrom(undefined, false),
});

const readerArb = fc.record({
  filter: filterArb,
  seriesFormat: fc.constantFrom<SeriesFormat>("delta", "accumulated"),
  /** Number of producer steps after which it joins. */
  joinsAt: fc.nat({ max: 12 }),
  /** Its start: the beginning, or else a fraction of the events that match by then. */
  startsAfter: fc.constantFrom(undefined, undefined, 0, 0.3, 0.8, 1),
  /**
   * Number of messages that it reads on each connection before the connection is cut; the last one
   * is not.
   */
  cuts: fc.array(fc.nat({ max: 5 }), { maxLength: 4 }),
  /** Turns of the event loop between two reads. */
  slowness: fc.nat({ max: 3 }),
});

const stepArb = fc.oneof(
  { weight: 6, arbitrary: fc.array(eventArb, { minLength: 1, maxLength: 5 }) },
  { weight: 1, arbitrary: fc.constant("pause" as const) },
  { weight: 2, arbitrary: fc.constant("rest" as const) },
);

type Reader = typeof readerArb extends fc.Arbitrary<infer T> ? T : never;

/** State of a reader that follows the stream as the protocol prescribes. */
class Client {
  readonly plain: TaskEvent[] = [];
  readonly values = new Map<string, unknown>();
  cursor?: string;
  /** The last `filteredIndex` before its start. */
  missed = -1;
  done?: string;
  /** The `filteredIndex` of each event that it got, by index in the log. */
  readonly filteredIndexes = new Map<number, number>();

  receive(event: TaskEvent): void {
    const { seriesId, seriesMode } = event;
    if (seriesId === undefined || seriesMode === "keep-all") {
      this.plain.push(event);
      return;
    }
    const delta = (event.data as { delta: unknown }).delta;
    const value = this.values.get(seriesId);
    const appends = seriesMode === "accumulate" && !event.seriesSnapshot &&
      typeof delta === "string" && typeof value === "string";
    this.values.set(seriesId, appends ? value + delta : delta);
  }
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setTimeout(resolve, 0));
}

/** Returns a reader's start: the `filteredIndex` of the last event before it. */
async function startOf(engine: TaskEngine, taskId: string, reader: Reader): Promise<number> {
  const { filter, startsAfter } = reader;
  if (startsAfter === undefined) return -1;
  const { events } = await engine.getEvents(taskId, { filter, limit: 10_000 });
  return Math.round(startsAfter * events.length) - 1;
}

async function read(engine: TaskEngine, taskId: string, reader: Reader): Promise<Client> {
  const client = new Client();
  const index = client.missed = await startOf(engine, taskId, reader);
  for (const cut of [...reader.cuts, Infinity]) {
    let left = cut;
    let newest = -1;
    const stream = engine.subscribe(taskId, {
      filter: reader.filter,
      seriesFormat: reader.seriesFormat,
      since: client.cursor !== undefined
        ? { id: client.cursor }
        : reader.startsAfter !== undefined
        ? { index }
        : {},
    });
    for await (const message of stream) {
      if (left-- <= 0) break;
      if (message.kind === "event") {
        const { event, filteredIndex } = message;
        assert(event.index > newest, "frames of one connection come in index order");
        newest = event.index;
        client.receive(event);
        client.cursor = message.cursor;
        client.filteredIndexes.set(event.index, filteredIndex);
      } else if (message.kind === "done") {
        assert.equal(client.done, undefined, "the end comes once");
        client.done = message.reason;
        return client;
      }
      await turns(reader.slowness);
    }
  }
  throw new Error("the stream ended without the end");
}

/** Stores under test: a store, and optionally an archive that takes tasks as soon as possible. */
export interface Stores {
  broadcast?: BroadcastProvider;
  shortTerm: ShortTermStore;
  longTerm?: LongTermStore;
}

async function check(
  { broadcast = new MemoryBroadcastProvider(), shortTerm, longTerm }: Stores,
  steps: readonly (EventInput[] | "pause" | "rest")[],
  readers: readonly Reader[],
  seed: number,
): Promise<void> {
  const errors: unknown[] = [];
  const engine = new TaskEngine({
    broadcast: lossyBroadcast(broadcast, { seed }),
    shortTermStore: delayReads(shortTerm),
    longTermStore: longTerm && delayReads(longTerm),
    options: {
      // Small enough that the folds of few series take several pages, and long texts one each.
      pageSize: 1 + seed % 4,
      pageBytes: seed % 3 === 0 ? 16 : 1_024,
      tailBytes: 2_000,
      wakesPerTurn: seed % 2 === 0 ? 1 : 32,
      pollMs: 3,
      archiveDelayMs: 1,
      archiveBatch: 3,
      hotRetentionMs: 1,
    },
    hooks: { onUnhandledError: (error) => void errors.push(error) },
  });
  try {
    const { id } = await engine.createTask();
    const joined: { reader: Reader; client: Promise<Client> }[] = [];
    const join = (step: number) => {
      for (const reader of readers) {
        if (reader.joinsAt !== step) continue;
        const client = read(engine, id, reader);
        client.catch(() => {}); // Awaited below; until then another assertion may fail first.
        joined.push({ reader, client });
      }
    };
    for (const [i, step] of steps.entries()) {
      join(i);
      if (step === "rest") await turns(2);
      else if (step !== "pause") await engine.publishEvents(id, step);
      else {
        await engine.transitionTask(id, "paused");
        await engine.transitionTask(id, "running");
      }
    }
    await engine.transitionTask(id, "completed");
    for (let i = steps.length; i <= 12; i++) join(i);

    const { events: log } = await engine.getEvents(id, { limit: 10_000 });
    assert.deepEqual(log.map((event) => event.index), log.map((_, i) => i));
    for (const { reader, client } of joined) {
      const model = new Client();
      const matching = log.filter(compileFilter(reader.filter));
      const { plain, values, done, filteredIndexes, missed } = await client;
      const wanted = matching.slice(missed + 1);
      for (const event of wanted) model.receive(event);
      if (reader.seriesFormat === "accumulated") {
        // A reader from the start gets the whole text of everything after that.
        const whole = new Client();
        for (const event of matching) whole.receive(event);
        for (const id of model.values.keys()) model.values.set(id, whole.values.get(id));
      }
      for (const [index, at] of filteredIndexes) assert.equal(matching[at]?.index, index);
      assert.deepEqual(plain, model.plain);
      assert.deepEqual(values, model.values);
      assert.equal(done, "completed");
    }
    assert.deepEqual(errors, []);
  } finally {
    await engine.close();
    await Promise.all([broadcast.close(), shortTerm.close(), longTerm?.close()]);
  }
}

/**
 * Registers the test for a store.
 *
 * @param runs Number of interleavings to try; `deno task test:soak` tries more.
 */
export function testSubscribe(
  { name, open, runs: count }: {
    name: string;
    open: () => Stores | Promise<Stores>;
    runs: number;
  },
): void {
  Deno.test(`${name}: subscribe() gives every reader exactly the matching events, whatever happens`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(stepArb, { maxLength: 12 }),
        fc.array(readerArb, { minLength: 1, maxLength: 5 }),
        fc.nat(),
        async (steps, readers, seed) => await check(await open(), steps, readers, seed),
      ),
      { numRuns: runs(count) },
    );
  });
}
