import assert from "node:assert/strict";
import { TaskcastError } from "@taskcast/core/protocol";
import { createErrorLog } from "./error_log.ts";

Deno.test("createErrorLog() writes each kind of error once, then how often it occurred", () => {
  const lines: string[] = [];
  let nowMs = 0;
  const report = createErrorLog({ error: (line) => lines.push(line) }, () => nowMs);
  const full = new TaskcastError("STORE_FULL", "the store is full");
  for (let i = 0; i < 500; i++) report(full, { operation: `POST /tasks/${i}/events` });
  assert.deepEqual(lines, ["POST /tasks/0/events: the store is full"]);
  report(full, { operation: "scheduler", taskId: "t" });
  assert.deepEqual(lines.slice(1), ["scheduler of task t: the store is full"]);
  report(full, { operation: "PATCH /tasks/{id}/status", taskId: "t", requestId: "r1" });
  assert.deepEqual(lines.slice(2), [
    "PATCH /tasks/{id}/status of task t, request r1: the store is full",
  ]);
  nowMs = 10_001;
  report(full, { operation: "POST /tasks/7/events" });
  assert.deepEqual(lines.slice(3), [
    "POST /tasks/7/events: the store is full (and 499 more like it)",
  ]);
});

Deno.test("createErrorLog() shows where an unknown error came from, and forgets old kinds", () => {
  const lines: string[] = [];
  const report = createErrorLog({ error: (line) => lines.push(line) }, () => 0);
  report(new RangeError("unforeseen"), { operation: "GET /" });
  assert.match(lines[0]!, /^GET \/: RangeError: unforeseen\n\s+at /);
  for (let i = 0; i < 1000; i++) report(`${i}`, { operation: "GET /" });
  assert.equal(lines.length, 1001);
});
