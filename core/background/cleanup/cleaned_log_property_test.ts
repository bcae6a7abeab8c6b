import assert from "node:assert/strict";
import fc from "fast-check";
import { fakeClock } from "../../../testing/fake_clock.ts";
import { MemoryBroadcastProvider } from "../../memory/broadcast.ts";
import { MemoryLongTermStore } from "../../memory/long_term_store.ts";
import { MemoryShortTermStore } from "../../memory/short_term_store.ts";
import type { CleanupRule } from "../../protocol/cleanup.ts";
import { decodeCursor } from "../../protocol/cursor.ts";
import type { EventFilter, EventInput, Level, TaskEvent } from "../../protocol/event.ts";
import type { StreamMessage } from "../../streams/object_encoder.ts";
import type { TaskEngineOptions } from "../../engine/options.ts";
import { TaskEngine } from "../../engine/engine.ts";
import { runs } from "../../../testing/properties/runs.ts";

// The promise of clean-up, for any log, any rules and any reader: events that no rule deletes keep their
// index, and a reader that returns from any cursor ends with exactly those.

function open(options: Partial<TaskEngineOptions> = {}): TaskEngine {
  return new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
    ...options,
  });
}

const SERIES = { whole: "accumulate", state: "latest", steps: "keep-all" } as const;

const eventArb: fc.Arbitrary<EventInput> = fc.record({
  type: fc.constantFrom("a.x", "a.y", "b"),
  level: fc.constantFrom("info", "debug", "warn"),
  seriesId: fc.constantFrom(undefined, "whole", "whole2", "state", "steps"),
  delta: fc.oneof({ weight: 9, arbitrary: fc.string({ maxLength: 3 }) }, fc.constant(null)),
  isUniform: fc.boolean(),
}).map(({ type, level, seriesId, delta, isUniform }): EventInput => ({
  type,
  // Whole series often have one level.
  level: isUniform && seriesId !== undefined ? "debug" : level,
  data: { delta },
  ...(seriesId === undefined
    ? {}
    : { seriesId, seriesMode: SERIES[seriesId === "whole2" ? "whole" : seriesId] }),
}));

const filterArb: fc.Arbitrary<EventFilter> = fc.record({
  types: fc.constantFrom<string[] | undefined>(undefined, ["*"], ["a.*"], ["a.x", "b"], [
    "taskcast:status",
  ]),
  levels: fc.constantFrom<Level[] | undefined>(undefined, ["info"], ["debug", "warn"]),
  includeStatus: fc.constantFrom(undefined, false),
}, { requiredKeys: [] });

const ruleArb: fc.Arbitrary<CleanupRule> = fc.record({
  match: fc.constantFrom<CleanupRule["match"]>(undefined, { taskTypes: ["llm.*"] }, {
    taskTypes: ["other"],
  }, {
    status: ["failed"],
  }),
  afterMs: fc.constantFrom(0, 50, 5_000_000),
  eventFilter: fc.record({
    types: fc.constantFrom<string[] | undefined>(undefined, ["a.*"], ["b", "a.x"], ["*"], [
      "taskcast:status",
    ]),
    levels: fc.constantFrom<Level[] | undefined>(undefined, ["debug"], ["debug", "info"]),
    olderThanMs: fc.constantFrom(undefined, 0, 30, 80),
    seriesMode: fc.constantFrom(undefined, "accumulate" as const, "latest", "keep-all"),
  }),
}).map(({ match, afterMs, eventFilter }) => ({
  ...(match === undefined ? {} : { match }),
  trigger: { afterMs },
  target: "events",
  eventFilter,
}));

/** Returns the events that must be left, by the simplest reading of the documentation. */
function leftBy(rules: readonly CleanupRule[], events: readonly TaskEvent[], endMs: number) {
  const nowMs = endMs + 1_000_000;
  const takes = (event: TaskEvent) =>
    rules.some(({ match, trigger: { afterMs }, eventFilter = {} }) => {
      if (match?.taskTypes?.[0] === "other" || match?.status?.[0] === "failed") return false;
      const { types, levels, olderThanMs = 0, seriesMode } = eventFilter;
      const isOfType = (pattern: string) =>
        pattern === "*" || pattern === event.type ||
        (pattern.endsWith(".*") && event.type.startsWith(pattern.slice(0, -1)));
      return endMs + afterMs <= nowMs && !event.type.startsWith("taskcast:") &&
        (types?.some(isOfType) ?? true) && (levels?.includes(event.level) ?? true) &&
        (seriesMode === undefined || event.seriesMode === seriesMode) &&
        event.timestamp + olderThanMs <= nowMs;
    });
  return events.filter((event) => {
    const isValue = event.seriesMode === "latest" || event.seriesMode === "accumulate";
    if (!isValue) return !takes(event);
    return !events.filter(({ seriesId }) => seriesId === event.seriesId).every(takes);
  });
}

/** The state of a reader: standalone events by index, and the value of each series. */
function fold(messages: readonly StreamMessage[], into = new Map<string, string>()) {
  for (const message of messages) {
    if (message.kind !== "event") continue;
    const { event, filteredIndex } = message;
    if (event.seriesMode !== "accumulate" && event.seriesMode !== "latest") {
      const key = `${event.index}`;
      assert(!into.has(key), `event ${key} comes twice`);
      into.set(key, `${filteredIndex} ${JSON.stringify(event.data)}`);
      continue;
    }
    const key = event.seriesId!;
    const { delta } = event.data as { delta: unknown };
    const before = into.get(key);
    const isMore = event.seriesMode === "accumulate" && !event.seriesSnapshot &&
      typeof delta === "string" && before?.startsWith("text ");
    into.set(key, isMore ? before + delta : typeof delta === "string" ? `text ${delta}` : "other");
  }
  return into;
}

for (const archive of [false, true]) {
  Deno.test(`${archive ? "hot and cold" : "hot"}: whatever goes, from any cursor a reader ends with what is left`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(eventArb, { minLength: 1, maxLength: 24 }),
        fc.array(ruleArb, { minLength: 1, maxLength: 3 }),
        filterArb,
        fc.constantFrom("delta" as const, "accumulated" as const),
        fc.constantFrom(2, 7, 256),
        fc.boolean(),
        fc.boolean(),
        async (inputs, rules, filter, seriesFormat, pageSize, isReleased, isLive) => {
          const clock = fakeClock();
          const longTermStore = archive ? new MemoryLongTermStore() : undefined;
          const hotRetentionMs = isReleased ? 10 : 10_000_000;
          const options = { pageSize, hotRetentionMs, sweepMs: 60_000 };
          await using engine = open({ clock, longTermStore, cleanup: { rules }, options });
          await engine.createTask({ id: "t", type: "llm.chat" });
          const early: StreamMessage[] = [];
          const leave = new AbortController();
          const read = async () => {
            const { signal } = leave;
            const stream = engine.subscribe("t", { filter, seriesFormat, signal });
            for await (const message of stream) early.push(message);
          };
          let reading = isLive ? read() : undefined;
          for (const input of inputs) {
            await engine.publishEvent("t", input);
            await clock.pass(7);
          }
          reading ??= read();
          await clock.pass(1);
          leave.abort();
          await reading.catch(() => {});
          const before = early.filter((message) => message.kind === "event");
          const whole = [...(await engine.getEvents("t")).events];
          const readAll = async (since = {}) =>
            await Array.fromAsync(engine.subscribe("t", { filter, seriesFormat, since }));

          await engine.transitionTask("t", "completed");
          const endMs = clock.now();
          whole.push(...(await engine.getEvents("t")).events.slice(whole.length));
          await clock.pass(1_000_000);
          const left = leftBy(rules, whole, endMs);
          assert.deepEqual((await engine.getEvents("t")).events, left);

          const after = await readAll();
          const places = new Map(
            before.map(({ event, filteredIndex }) => [event.index, filteredIndex]),
          );
          const leftIndexes = new Set(left.map(({ index }) => index));
          let newest = -1;
          for (const message of after) {
            if (message.kind !== "event") continue;
            const { event: { index }, filteredIndex } = message;
            assert(index > newest && leftIndexes.has(index));
            newest = index;
            if (places.has(index)) assert.equal(filteredIndex, places.get(index));
          }
          const complete = fold(after);
          for (let at = 0; at < before.length; at++) {
            const known = fold(before.slice(0, at + 1));
            const rest = await readAll({ id: before[at]!.cursor });
            const reached = fold(rest, new Map([...known]));
            for (const [key, value] of complete) assert.equal(reached.get(key), value, key);
            const isKnown = (key: string) => complete.has(key) || known.has(key);
            assert([...reached.keys()].every(isKnown));
            const cursor = decodeCursor(before[at]!.cursor!)!;
            const isExpired = whole.some((e) =>
              e.index > cursor.index && !leftIndexes.has(e.index)
            );
            const resume = rest[0]!.kind === "open" ? rest[0]!.resume : undefined;
            assert.equal(
              resume,
              isExpired ? "expired" : cursor.kind === "partial" ? "collapsed" : "exact",
            );
          }
        },
      ),
      { numRuns: runs(150) },
    );
  });
}
