import assert from "node:assert/strict";
import fc from "fast-check";
import type { TaskRecord } from "../contracts/records.ts";
import { TaskList } from "./task_list.ts";

Deno.test("tasks are in order, regardless of the order in which they were added", () => {
  const key = fc.record({ createdAt: fc.nat(40), id: fc.stringMatching(/^[a-f]{1,3}$/) });
  const keys = fc.uniqueArray(key, {
    minLength: 1,
    maxLength: 400,
    size: "max",
    selector: ({ createdAt, id }) => `${createdAt} ${id}`,
  });
  fc.assert(fc.property(keys, fc.nat(), (keys, n) => {
    const list = new TaskList();
    const record = (task: { createdAt: number; id: string }) => ({ task }) as TaskRecord;
    for (const key of keys) list.add(record(key));
    list.delete(record(keys[n % keys.length]!));
    const left = keys.filter((_, i) => i !== n % keys.length);
    const sorted = left.toSorted((a, b) =>
      a.createdAt - b.createdAt || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
    );
    assert.deepEqual([...list.newestFirst()], sorted.map(({ id }) => id).toReversed());
  }));
});
