import assert from "node:assert/strict";
import type { TaskRecord } from "../../contracts/records.ts";
import { TaskcastError } from "../../protocol/errors.ts";
import type { TransitionOptions } from "../../protocol/task.ts";
import type { TaskStatus } from "../../protocol/status.ts";
import { applyResolution, applyTransition, dueTimes, newRecord } from "./transition.ts";

const BORN = 1_000_000;
const create = (ttl?: number) =>
  newRecord({ type: "t", params: { a: 1 }, ttl }, { id: "t1", incarnation: "abcd" }, BORN);
const move = (
  record: TaskRecord,
  to: TaskStatus,
  atMs: number,
  options: TransitionOptions = {},
) => applyTransition(record, to, options, BORN + atMs).record;

Deno.test("newRecord() begins pending, with the deadline counted from creation", () => {
  const record = create(60);
  assert.equal(record.task.status, "pending");
  assert.equal(record.version, 1);
  assert.deepEqual(dueTimes(record), { deadline: BORN + 60_000 });
  assert.deepEqual(dueTimes(create()), {});
});

Deno.test("applyTransition() does not change its input and raises the version", () => {
  const record = create(60);
  const before = structuredClone(record);
  const { record: next, events } = applyTransition(record, "failed", {
    error: { message: "no" },
    reason: "broken",
    result: { partial: 1 },
  }, BORN + 5);
  assert.deepEqual(record, before);
  assert.equal(next.version, 2);
  assert.deepEqual(next.task, {
    ...before.task,
    status: "failed",
    error: { message: "no" },
    reason: "broken",
    result: { partial: 1 },
    updatedAt: BORN + 5,
    completedAt: BORN + 5,
  });
  assert.deepEqual(JSON.parse(JSON.stringify(events)), [{
    type: "taskcast:status",
    data: {
      status: "failed",
      result: { partial: 1 },
      error: { message: "no" },
      reason: "broken",
    },
  }]);
  assert.deepEqual(dueTimes(next), {});
});

Deno.test("applyTransition() refuses what the state machine does not allow", () => {
  const done = move(create(), "completed", 1);
  assert.throws(
    () => move(done, "failed", 2),
    (error) =>
      error instanceof TaskcastError && error.code === "INVALID_TRANSITION" &&
      error.message.includes("it has ended"),
  );
});

Deno.test("ttl: pausing stops the clock, and resuming continues with the remaining time", () => {
  const paused = move(create(60), "paused", 20_000);
  assert.deepEqual(dueTimes(paused), {});
  const running = move(paused, "running", 500_000);
  assert.deepEqual(dueTimes(running), { deadline: BORN + 500_000 + 40_000 });
});

Deno.test("ttl: paused by way of blocked keeps counting only while blocked", () => {
  const paused = move(move(create(60), "running", 0), "paused", 10_000);
  const blocked = move(paused, "blocked", 100_000);
  assert.deepEqual(dueTimes(blocked), { deadline: BORN + 150_000 });
  assert.equal(move(blocked, "paused", 130_000).ttlRemainingMs, 20_000);
});

Deno.test("ttl: fractions of a second are rounded up to whole milliseconds", () => {
  assert.equal(create(1 / 3).deadlineAt, BORN + 334);
  assert.equal(move(create(), "paused", 1_000, { ttl: 0.0001 }).ttlRemainingMs, 1);
});

Deno.test("ttl: a transition may set a new one, from now", () => {
  assert.deepEqual(dueTimes(move(create(60), "running", 1_000, { ttl: 5 })), {
    deadline: BORN + 6_000,
  });
  assert.equal(move(create(), "paused", 1_000, { ttl: 5 }).ttlRemainingMs, 5_000);
});

Deno.test("blocked: request, reason and wake-up are set on entry and removed on exit", () => {
  const request = { type: "approval", data: { amount: 5 } };
  const { record, events } = applyTransition(move(create(), "running", 0), "blocked", {
    reason: "needs a look",
    blockedRequest: request,
    resumeAfterMs: 250,
  }, BORN + 10);
  assert.deepEqual(events.map((event) => event.type), ["taskcast:status", "taskcast:blocked"]);
  assert.deepEqual(events[1]!.data, { reason: "needs a look", request });
  assert.deepEqual(dueTimes(record), { wake: BORN + 260 });

  const { record: next, events: told } = applyResolution(record, { ok: true }, BORN + 20);
  assert.deepEqual(told.map((event) => event.type), ["taskcast:resolved", "taskcast:status"]);
  assert.deepEqual(told[0]!.data, { resolution: { ok: true } });
  const { reason, blockedRequest, resumeAt, status } = next.task;
  assert.deepEqual({ reason, blockedRequest, resumeAt, status }, {
    reason: undefined,
    blockedRequest: undefined,
    resumeAt: undefined,
    status: "running",
  });
});

Deno.test("applyResolution() refuses a task that is not blocked", () => {
  assert.throws(() => applyResolution(create(), 1, BORN), { code: "INVALID_TRANSITION" });
});
