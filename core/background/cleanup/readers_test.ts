import assert from "node:assert/strict";
import { fakeClock } from "../../../testing/fake_clock.ts";
import { MemoryBroadcastProvider } from "../../memory/broadcast.ts";
import { MemoryShortTermStore } from "../../memory/short_term_store.ts";
import type { Signal } from "../../contracts/broadcast.ts";
import type { CleanupRule } from "../../protocol/cleanup.ts";
import type { StreamMessage } from "../../streams/object_encoder.ts";
import type { TaskEngineOptions } from "../../engine/options.ts";
import { TaskEngine } from "../../engine/engine.ts";

// Readers of a log from which clean-up deletes events meanwhile.

const DEBUG: CleanupRule = {
  trigger: { afterMs: 0 },
  target: "events",
  eventFilter: { levels: ["debug"] },
};

function open(options: Partial<TaskEngineOptions> = {}): TaskEngine {
  return new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
    ...options,
  });
}

type Told = { index: number; filteredIndex: number; data: unknown };

function toldOf(messages: readonly StreamMessage[]): Told[] {
  return messages.flatMap((message) => {
    if (message.kind !== "event") return [];
    const { event: { index, data }, filteredIndex } = message;
    return [{ index, filteredIndex, data }];
  });
}

/** A broadcast layer that can lose wake-ups. */
class Wakes extends MemoryBroadcastProvider {
  areLost = false;

  override async publish(signal: Signal): Promise<void> {
    if (!this.areLost) await super.publish(signal);
  }
}

for (const seriesFormat of ["delta", "accumulated"] as const) {
  for (const types of [["*"], ["a", "taskcast:status"]]) {
    const title = `${seriesFormat}, ${types}`;
    Deno.test(`${title}: a reader that waits while events are trimmed gets what is left once`, async () => {
      const clock = fakeClock();
      const broadcast = new Wakes();
      await using engine = open({ clock, broadcast, cleanup: { rules: [DEBUG] } });
      await engine.createTask({ id: "t" });
      const messages: StreamMessage[] = [];
      const all: StreamMessage[] = [];
      const follow = async (into: StreamMessage[], stream: ReadableStream<StreamMessage>) => {
        for await (const message of stream) into.push(message);
      };
      const filter = { types };
      const leave = new AbortController();
      const reading = follow(messages, engine.subscribe("t", { filter, seriesFormat }));
      const readingAll = follow(all, engine.subscribeAll({ filter, signal: leave.signal }));
      await clock.pass(1);
      for (let i = 0; i < 5; i++) await engine.publishEvent("t", { type: "a", data: i });
      await clock.pass(1);
      assert.equal(toldOf(messages).length, 5, "it waits for more");
      broadcast.areLost = true;
      for (let i = 5; i < 8; i++) {
        await engine.publishEvent("t", { type: "a", data: i, level: "debug" });
        await engine.publishEvent("t", { type: "other", data: i, level: "debug" });
      }
      await engine.publishEvent("t", { type: "a", data: 8 });
      await engine.transitionTask("t", "cancelled");
      await engine.sweep();
      assert.equal(engine.stats.eventsTrimmed, 6);
      await clock.pass(60_000);
      await reading;
      const isAll = types[0] === "*";
      const expected = [
        ...[0, 1, 2, 3, 4].map((i) => ({ index: i, filteredIndex: i, data: i })),
        { index: 11, filteredIndex: isAll ? 11 : 8, data: 8 },
        { index: 12, filteredIndex: isAll ? 12 : 9, data: { status: "cancelled" } },
      ];
      assert.deepEqual(toldOf(messages), expected);
      assert.deepEqual(toldOf(all), expected);
      leave.abort();
      await readingAll.catch(() => {});
    });
  }
}

for (
  const [title, trimmed, expected] of [
    ["in part", 13, "abcdefghijklmnop"],
    // Nothing is read ahead of the reader.
    ["as a whole", 16, "abcdef"],
  ] as const
) {
  Deno.test(`a slow reader of a text that is trimmed ${title} receives no text with a gap`, async () => {
    const shortTermStore = new MemoryShortTermStore();
    await using engine = open({ shortTermStore, options: { pageSize: 4 } });
    await engine.createTask({ id: "t" });
    for (const delta of "abcdefghijklmnop") {
      const series = { seriesId: "text", seriesMode: "accumulate" as const };
      await engine.publishEvent("t", { type: "a", data: { delta }, ...series });
    }
    await engine.transitionTask("t", "cancelled");
    const { incarnation } = (await shortTermStore.getTask("t"))!.record;
    const { nextCursor: id } = await engine.getEvents("t", { limit: 2 });
    const indexes = [...Array(trimmed).keys()];
    let text = "ab";
    for await (const message of engine.subscribe("t", { since: { id } })) {
      if (message.kind !== "event" || message.event.seriesId === undefined) continue;
      const { delta } = message.event.data as { delta: string };
      text = message.event.seriesSnapshot ? delta : text + delta;
      if (text !== "abcdef") continue; // It has read a page.
      await shortTermStore.trimLog("t", incarnation, {
        indexes,
        series: trimmed === 16 ? ["text"] : [],
      });
    }
    assert.equal(text, expected);
  });
}

Deno.test("a history continues from a partial cursor with whole texts even if events were removed", async () => {
  const shortTermStore = new MemoryShortTermStore();
  await using engine = open({ shortTermStore });
  await engine.createTask({ id: "t" });
  const series = { seriesId: "text", seriesMode: "accumulate" as const };
  const inputs = [
    { type: "a", data: { delta: "a" }, ...series },
    { type: "b", data: 1 },
    { type: "b", data: 2 },
    { type: "a", data: { delta: "b" }, ...series },
  ];
  for (const input of inputs) await engine.publishEvent("t", input);
  await engine.transitionTask("t", "cancelled");
  const [, first] = await Array.fromAsync(engine.subscribe("t"));
  assert(first?.kind === "event" && first.event.index === 1);
  const { incarnation } = (await shortTermStore.getTask("t"))!.record;
  await shortTermStore.trimLog("t", incarnation, { indexes: [2], series: [] });
  const { events } = await engine.getEvents("t", { since: { id: first.cursor! } });
  assert.deepEqual(events.map(({ data }) => data), [{ delta: "ab" }, { status: "cancelled" }]);
});
