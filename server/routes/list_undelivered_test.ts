import assert from "node:assert/strict";
import type { ScheduledTask } from "@taskcast/core/adapter";
import fc from "fast-check";
import { listUndelivered } from "./list_undelivered.ts";
import { runs } from "../../testing/properties/runs.ts";

/** Returns an engine that lists these all in order. */
function engineOf(all: readonly ScheduledTask[]) {
  const isBehind = ({ taskId, atMs }: ScheduledTask, after?: ScheduledTask) =>
    after === undefined || atMs > after.atMs || (atMs === after.atMs && taskId > after.taskId);
  return {
    listUndelivered: ({ limit = 50, after }: { limit?: number; after?: ScheduledTask } = {}) =>
      Promise.resolve(all.filter((mark) => isBehind(mark, after)).slice(0, limit)),
  };
}

Deno.test("cursors of undelivered webhooks contain a task that was shown, or only a time", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat({ max: 8 }), fc.boolean()), { maxLength: 120 }),
      fc.integer({ min: 1, max: 3 }),
      async (tasks, limit) => {
        const all = tasks.map(([atMs], i) => ({
          taskId: `t${String(i).padStart(3, "0")}`,
          atMs,
        }));
        const known = new Set(all.filter((_, i) => tasks[i]![1]).map(({ taskId }) => taskId));
        all.sort((a, b) => a.atMs - b.atMs || (a.taskId < b.taskId ? -1 : 1));
        const engine = engineOf(all);
        const seen: string[] = [];
        let cursor: string | undefined;
        do {
          const mayKnow = (taskId: string) => Promise.resolve(known.has(taskId));
          const page = await listUndelivered(engine, { limit, cursor, mayKnow });
          assert(page.tasks.length <= limit);
          seen.push(...page.tasks.map(({ taskId }) => taskId));
          cursor = page.nextCursor;
          const [, named] = cursor?.split(".") ?? [];
          assert(!named || named === page.tasks.at(-1)?.taskId, cursor);
        } while (cursor !== undefined);
        const expected = all.map(({ taskId }) => taskId).filter((taskId) => known.has(taskId));
        assert.deepEqual(seen, expected);
      },
    ),
    { numRuns: runs(150) },
  );
});

Deno.test("a malformed cursor of undelivered webhooks is refused without reading the store", async () => {
  const engine = { listUndelivered: () => Promise.reject(new Error("was asked")) };
  const mayKnow = () => Promise.resolve(true);
  for (const cursor of ["x", "", ".", "1.\0", "1.\ud800", "1.a b", "1.é", "1.a\n", "1..", "-1.a"]) {
    await assert.rejects(() => listUndelivered(engine, { limit: 1, cursor, mayKnow }), {
      code: "INVALID_INPUT",
    }, cursor);
  }
});
