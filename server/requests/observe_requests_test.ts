import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
import assert from "node:assert/strict";
import { createTaskcastApp } from "../mod.ts";

Deno.test("an onAnswered that throws is reported to the host, and its caller gets an error with an id", async () => {
  const reported: unknown[] = [];
  await using engine = new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
    hooks: { onUnhandledError: (error) => void reported.push(error) },
  });
  const failure = new Error("the host's");
  const app = createTaskcastApp({
    engine,
    onAnswered: () => {
      throw failure;
    },
  });
  const response = await app.request("/health", { headers: { "x-request-id": "r1" } });
  assert.equal(response.status, 500);
  assert.equal(response.headers.get("x-request-id"), "r1");
  assert.equal((await response.json()).error.code, "INTERNAL");
  assert.deepEqual(reported, [failure]);
});
