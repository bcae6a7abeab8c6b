import assert from "node:assert/strict";
import fc from "fast-check";
import type { EventFilter } from "../protocol/event.ts";
import { LEVELS } from "../protocol/event.ts";
import { compileFilter, filterKey, matchesEverything, matchesType } from "./filter.ts";
import { runs } from "../../testing/properties/runs.ts";

const typeArb = fc.array(fc.constantFrom("a", "b", "llm", "delta"), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join("."));
const patternArb = fc.oneof(
  typeArb,
  typeArb.map((type) => `${type}.*`),
  fc.constant("*"),
  fc.constant("taskcast:status"),
);
const filterArb: fc.Arbitrary<EventFilter> = fc.record({
  types: fc.array(patternArb, { maxLength: 3 }),
  levels: fc.array(fc.constantFrom(...LEVELS), { maxLength: 3 }),
  includeStatus: fc.boolean(),
}, { requiredKeys: [] });
const eventArb = fc.record({
  type: fc.oneof(typeArb, fc.constantFrom("taskcast:status", "taskcast:blocked")),
  level: fc.constantFrom(...LEVELS),
});

Deno.test("matchesType(): * matches everything, a.* types below a, others exactly", () => {
  const cases: [type: string, pattern: string, matches: boolean][] = [
    ["llm.delta", "*", true],
    ["llm.delta", "llm.*", true],
    ["llm.delta.x", "llm.*", true],
    ["llm", "llm.*", false],
    ["llmx.delta", "llm.*", false],
    ["llm.delta", "llm", false],
    ["llm.delta", "llm.delta", true],
    ["llm.delta.x", "llm.delta", false],
    ["taskcast:status", "taskcast:*", false],
  ];
  for (const [type, pattern, matches] of cases) {
    assert.equal(matchesType(type, [pattern]), matches, `${type} with ${pattern}`);
  }
  assert.equal(matchesType("a", []), false);
});

Deno.test("compileFilter(): all conditions must hold, an empty list is no condition", () => {
  const status = { type: "taskcast:status", level: "info" } as const;
  const event = { type: "a.b", level: "warn" } as const;
  const matches = (filter: EventFilter) => compileFilter(filter)(event);
  assert(matches({}));
  assert(matches({ types: [], levels: [] }));
  assert(matches({ types: ["a.*"], levels: ["warn"] }));
  assert(!matches({ types: ["a.*"], levels: ["info"] }));
  assert(!matches({ types: ["b"], levels: ["warn"] }));
  assert(compileFilter({})(status));
  assert(!compileFilter({ includeStatus: false })(status));
  assert(!compileFilter({ types: ["a"] })(status));
});

Deno.test("matchesEverything() says so only when every event matches", () => {
  fc.assert(fc.property(filterArb, eventArb, (filter, event) => {
    if (matchesEverything(filter)) assert(compileFilter(filter)(event));
  }));
});

Deno.test("filters with the same key let the same events through", () => {
  fc.assert(
    fc.property(filterArb, filterArb, fc.array(eventArb), (a, b, events) => {
      if (filterKey(a) !== filterKey(b)) return;
      assert.deepEqual(events.map(compileFilter(a)), events.map(compileFilter(b)));
    }),
    { numRuns: runs(2000) },
  );
});

Deno.test("order and repetition do not change a filter's key", () => {
  fc.assert(fc.property(filterArb, ({ types = [], levels = [], ...rest }) => {
    assert.equal(
      filterKey({ types, levels, ...rest }),
      filterKey({
        types: [...types, ...types].reverse(),
        levels: [...levels, ...levels].reverse(),
        ...rest,
      }),
    );
  }));
});
