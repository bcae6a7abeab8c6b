import assert from "node:assert/strict";
import { mergeHooks } from "./merge_hooks.ts";

Deno.test("mergeHooks() calls each hook in order even if one fails, and reports the failure", async () => {
  const called: string[] = [];
  const hooks = mergeHooks(
    {
      onTaskCreated() {
        called.push("first");
        throw new Error("broken");
      },
    },
    undefined,
    { onTaskCreated: () => void called.push("second") },
  );
  await assert.rejects(async () => await hooks.onTaskCreated!({} as never), /broken/);
  assert.deepEqual(called, ["first", "second"]);
  assert.deepEqual(Object.keys(hooks), ["onTaskCreated"]);
});
