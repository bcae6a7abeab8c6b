import assert from "node:assert/strict";
import fc from "fast-check";
import type { StreamMessage } from "@taskcast/core";
import { MemoryBroadcastProvider, TaskEngine } from "@taskcast/core";
import { compileFilter } from "@taskcast/core/adapter";
import { delayReads, lossyBroadcast } from "@taskcast/core/conformance";
import type { EventFilter, EventInput, SeriesFormat, TaskEvent } from "@taskcast/core/protocol";
import { restorableStore } from "../../testing/databases/restorable_store.ts";
import { runs } from "../../testing/properties/runs.ts";

// A store may be restored to any earlier state while readers read, wait, or are away. At all times,
// a reader's events are those of the log between two restorations, or the reader was told to drop
// them; and in the end every reader has the current log.

const SERIES = { answer: "accumulate", progress: "latest" } as const;

const eventArb: fc.Arbitrary<EventInput> = fc.record({
  type: fc.constantFrom("a.x", "b"),
  seriesId: fc.constantFrom(undefined, "answer" as const, "progress" as const),
  delta: fc.string({ minLength: 1, maxLength: 2 }),
}).map(({ type, seriesId, delta }): EventInput => ({
  type,
  data: { delta },
  ...(seriesId === undefined ? {} : { seriesId, seriesMode: SERIES[seriesId] }),
}));

const stepArb = fc.oneof(
  { weight: 6, arbitrary: fc.array(eventArb, { minLength: 1, maxLength: 4 }) },
  { weight: 2, arbitrary: fc.constant("rest" as const) },
  /** Ends the task. Later publishes are refused until the end is undone. */
  { weight: 1, arbitrary: fc.constant("end" as const) },
  /** Goes back by a fraction of all changes. */
  { weight: 2, arbitrary: fc.double({ min: 0, max: 1, noNaN: true }) },
);

const readerArb = fc.record({
  filter: fc.constantFrom<EventFilter>({}, { types: ["a.*"] }, { includeStatus: false }),
  seriesFormat: fc.constantFrom<SeriesFormat>("delta", "accumulated"),
  joinsAt: fc.nat({ max: 10 }),
  /**
   * Number of messages that it reads on each connection before the connection is cut; the last one
   * is not.
   */
  cuts: fc.array(fc.nat({ max: 5 }), { maxLength: 4 }),
  /** Turns of the event loop between two reads. */
  slowness: fc.nat({ max: 3 }),
});

type Reader = typeof readerArb extends fc.Arbitrary<infer T> ? T : never;

/** A client that follows the protocol. */
class Client {
  /** Events by index, since the last reset. */
  seen = new Map<number, string>();
  plain: string[] = [];
  values = new Map<string, unknown>();
  cursor?: string;
  resets = 0;
  /** State at each event, to compare with every state of the log. */
  readonly #had: { seen: Map<number, string>; event: TaskEvent; value: unknown }[] = [];
  readonly #filter: EventFilter;

  constructor(filter: EventFilter) {
    this.#filter = filter;
  }

  take(message: StreamMessage): void {
    if (message.kind === "open" && message.reset) {
      assert.equal(message.resume, "expired");
      this.seen = new Map();
      this.plain = [];
      this.values = new Map();
      this.resets++;
    }
    if (message.kind === "event") this.#add(message.event);
    if ("cursor" in message) this.cursor = message.cursor ?? this.cursor;
  }

  #add(event: TaskEvent): void {
    const { index, id, seriesId, seriesMode, seriesSnapshot } = event;
    this.seen.set(index, id);
    if (seriesId === undefined) this.plain.push(id);
    else if (seriesMode === "latest") this.values.set(seriesId, deltaOf(event));
    else {
      const before = seriesSnapshot ? "" : this.values.get(seriesId) ?? "";
      this.values.set(seriesId, `${before}${deltaOf(event)}`);
    }
    const value = seriesId === undefined ? undefined : this.values.get(seriesId);
    this.#had.push({ seen: new Map(this.seen), event, value });
  }

  /** @param lives The log between each restoration of the store and the next. */
  assertSaid(lives: readonly (readonly TaskEvent[])[]): void {
    for (const { seen, event: { index, seriesId }, value } of this.#had) {
      const said = lives.some((log) =>
        [...seen].every(([index, id]) => log[index]?.id === id) &&
        (seriesId === undefined ||
          fold(log.slice(0, index + 1), this.#filter).values.get(seriesId) === value)
      );
      assert(said, `no log had this value: ${value} at ${index}`);
    }
  }
}

function deltaOf({ data }: TaskEvent): string {
  return (data as { delta: string }).delta;
}

/** Returns the value of a log under a filter. */
function fold(log: readonly TaskEvent[], filter: EventFilter) {
  const matches = compileFilter(filter);
  const plain: string[] = [];
  const values = new Map<string, unknown>();
  for (const event of log.filter((event) => matches(event))) {
    const { id, seriesId } = event;
    if (seriesId === undefined) plain.push(id);
    else if (event.seriesMode === "latest") values.set(seriesId, deltaOf(event));
    else values.set(seriesId, `${values.get(seriesId) ?? ""}${deltaOf(event)}`);
  }
  return { plain, values };
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setTimeout(resolve, 0));
}

async function read(
  engine: TaskEngine,
  client: Client,
  { filter, seriesFormat, cuts, slowness }: Reader,
): Promise<void> {
  for (const messages of [...cuts, Infinity]) {
    const since = client.cursor === undefined ? undefined : { id: client.cursor };
    const stream = engine.subscribe("t", { filter, seriesFormat, since });
    let left = messages;
    for await (const message of stream) {
      client.take(message);
      await turns(slowness);
      if (left-- === 0) break;
    }
  }
}

function check(name: string, isDelayed: boolean, tailBytes: number | undefined): void {
  Deno.test(`readers of a restored store have the events of one log, or got a reset: ${name}`, async () => {
    let resets = 0;
    const run = async (
      steps: (typeof stepArb extends fc.Arbitrary<infer T> ? T : never)[],
      readers: Reader[],
      losses: number,
    ) => {
      const store = restorableStore();
      const engine = new TaskEngine({
        shortTermStore: isDelayed ? delayReads(store) : store,
        broadcast: lossyBroadcast(new MemoryBroadcastProvider(), { seed: losses }),
        options: { pollMs: 5, storeRetryMs: 1, pageSize: 4, ...(tailBytes && { tailBytes }) },
      });
      // An engine's timers do not keep a process alive; polling makes up for a lost wake-up.
      const held = setInterval(() => {}, 1_000);
      await engine.createTask({ id: "t" });
      const created = store.changes;
      const past: TaskEvent[][] = [];
      let now: TaskEvent[] = [];
      const look = async () => {
        now = (await engine.getEvents("t", { limit: 1_000 })).events;
      };
      const clients = readers.map(({ filter }) => new Client(filter));
      const reading: Promise<void>[] = [];
      const publish = async (events: EventInput[]) => {
        if ((await engine.getTask("t"))!.status === "completed") return;
        await engine.publishEvents("t", events);
      };
      const end = async () => {
        if ((await engine.getTask("t"))!.status === "completed") return;
        await engine.transitionTask("t", "completed");
      };
      try {
        for (const [i, step] of [...steps, "last" as const].entries()) {
          for (const [at, reader] of readers.entries()) {
            if (reader.joinsAt !== i && !(step === "last" && reader.joinsAt > i)) continue;
            reading.push(read(engine, clients[at]!, reader));
          }
          if (step === "rest") await turns(3);
          else if (step === "end" || step === "last") await end();
          else if (typeof step === "number") {
            past.push(now);
            await store.restore(created + Math.floor(step * (store.changes - created)));
          } else await publish(step);
          await look();
        }
        await Promise.all(reading);
        for (const [at, client] of clients.entries()) {
          // A reader whose end was undone by a restore reconnects once more.
          await read(engine, client, { ...readers[at]!, cuts: [] });
          client.assertSaid([...past, now]);
          const { plain, values } = fold(now, readers[at]!.filter);
          assert.deepEqual(client.plain, plain);
          assert.deepEqual(new Map([...client.values].sort()), new Map([...values].sort()));
          resets += client.resets;
        }
      } finally {
        clearInterval(held);
        await engine.close();
      }
    };
    await fc.assert(
      fc.asyncProperty(
        fc.array(stepArb, { minLength: 2, maxLength: 14 }),
        fc.array(readerArb, { minLength: 1, maxLength: 4 }),
        fc.nat(),
        run,
      ),
      { numRuns: runs(40) },
    );
    assert(resets > 0, "no reader ever got a reset");
  });
}

check("at once", false, undefined);
check("reads that come late, and little memory", true, 600);
