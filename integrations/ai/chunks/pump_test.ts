import { install } from "@sinonjs/fake-timers";
import { TaskcastError } from "@taskcast/core";
import type { EventInput, TaskStatus, TransitionOptions } from "@taskcast/core";
import assert from "node:assert/strict";
import { pump } from "./pump.ts";

/** The dependencies of a pump, all in memory. */
function setUp() {
  const ended = new AbortController();
  const published: EventInput[] = [];
  const ends: [TaskStatus, TransitionOptions | undefined][] = [];
  const reported: unknown[] = [];
  const controller = new AbortController();
  const fail = () => Promise.reject(new Error("not asked for"));
  return {
    ended,
    published,
    ends,
    reported,
    controller,
    target: {
      tasks: {
        create: fail,
        list: fail,
        open: fail,
        follow: () => {
          throw new Error("not asked for");
        },
        transition: (_id: string, status: TaskStatus, options?: TransitionOptions) =>
          Promise.resolve(ends.push([status, options])),
      },
      taskId: "t",
      sink: {
        signal: ended.signal,
        publish: (event: EventInput) => Promise.resolve(void published.push(event)),
        close: () => {
          ended.signal.throwIfAborted();
          return Promise.resolve();
        },
      },
      controller,
      onError: (error: unknown) => {
        reported.push(error);
        return "It broke";
      },
    },
  };
}

Deno.test("pump() ends the task as the answer ends", async () => {
  const ends: [unknown[], unknown][] = [
    [[{ type: "start" }, { type: "finish" }], ["completed", {}]],
    [[{ type: "start" }], ["completed", {}]],
    [[], ["completed", {}]],
    [[{ type: "abort", reason: "too long" }], ["cancelled", { reason: "too long" }]],
    [[{ type: "abort" }], ["cancelled", { reason: "The answer was aborted" }]],
    [
      [{ type: "error", errorText: "No credit" }, { type: "finish" }],
      ["failed", { error: { message: "No credit" } }],
    ],
  ];
  for (const [chunks, end] of ends) {
    const { target, ends, published } = setUp();
    await pump(ReadableStream.from(chunks) as ReadableStream<{ type: string }>, target);
    assert.deepEqual(ends, [end]);
    assert.deepEqual(published.map(({ data }) => data), chunks);
  }
});

Deno.test("pump() reports a chunk that is not JSON as a failure", async () => {
  const { target, ends, published, reported } = setUp();
  const chunk = { type: "data-count", data: 10n };
  await pump(ReadableStream.from([{ type: "start" }, chunk]), target);
  assert.deepEqual(ends, [["failed", { error: { message: "It broke" } }]]);
  assert.deepEqual(published.map(({ type }) => type), ["ai.start", "ai.error"]);
  assert(reported[0] instanceof TypeError);
});

Deno.test("pump() reads a stopped answer for five more seconds, then cancels it", async () => {
  const clock = install({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    const { target, ended, published, controller, ends } = setUp();
    let cancelled = false;
    const deaf = new ReadableStream<{ type: string }>({
      start: (source) => source.enqueue({ type: "start" }),
      cancel: () => void (cancelled = true),
    });
    const pumped = pump(deaf, target);
    await clock.tickAsync(1);
    assert.equal(published.length, 1);
    ended.abort(new TaskcastError("TASK_TERMINAL", "It ended"));
    assert.equal((controller.signal.reason as DOMException).name, "AbortError");
    await clock.tickAsync(4_999);
    assert(!cancelled);
    await clock.tickAsync(1);
    assert(cancelled);
    await pumped;
    assert.deepEqual(ends, [], "it has ended already");
    assert.equal(clock.countTimers(), 0);
  } finally {
    clock.uninstall();
  }
});
