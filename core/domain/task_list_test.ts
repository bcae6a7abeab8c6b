import assert from "node:assert/strict";
import type { ListConditions } from "./task_list.ts";
import { compareNewestFirst, matchesListQuery } from "./task_list.ts";

Deno.test("matchesListQuery() requires each condition that is given", () => {
  const task = { status: "running", type: "llm.chat", tags: ["a", "b"] } as const;
  const matches = (query: ListConditions) =>
    matchesListQuery({ ...task, tags: [...task.tags] }, query);
  assert(matches({}));
  assert(matches({ statuses: ["failed", "running"], types: ["x", "llm.*"], tag: "b" }));
  assert(!matches({ statuses: ["failed"], types: ["llm.*"], tag: "b" }));
  assert(!matches({ statuses: ["running"], types: ["chat"], tag: "b" }));
  assert(!matches({ statuses: ["running"], types: ["llm.*"], tag: "c" }));
  assert(!matches({ statuses: [] }), "no status is none, not all");
});

Deno.test("matchesListQuery() treats a task without a type as one with an empty type", () => {
  assert(matchesListQuery({ status: "pending" }, { types: ["*"] }));
  assert(!matchesListQuery({ status: "pending" }, { types: ["job"] }));
  assert(!matchesListQuery({ status: "pending" }, { tag: "a" }));
});

Deno.test("compareNewestFirst() sorts by time, then by id, both descending", () => {
  const key = (createdAt: number, id: string) => ({ createdAt, id });
  const sorted = [key(2, "b"), key(2, "a"), key(1, "z"), key(1, "Z"), key(1, "")];
  assert.deepEqual(sorted.toReversed().sort(compareNewestFirst), sorted);
  assert.equal(compareNewestFirst(key(1, "a"), key(1, "a")), 0);
});
