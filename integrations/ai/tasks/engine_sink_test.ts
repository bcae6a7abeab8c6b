import type { EventInput, TaskEvent } from "@taskcast/core";
import {
  MemoryBroadcastProvider,
  MemoryShortTermStore,
  TaskcastError,
  TaskEngine,
} from "@taskcast/core";
import assert from "node:assert/strict";
import { EngineSink } from "./engine_sink.ts";

const event = (n: number): EventInput => ({ type: "n", data: n });

/** Returns an engine and the sizes of the batches that it is given. */
function setUp(
  publish: (
    next: (taskId: string, events: readonly EventInput[]) => Promise<TaskEvent[]>,
    taskId: string,
    events: readonly EventInput[],
  ) => Promise<TaskEvent[]> = (next, ...args) => next(...args),
) {
  const engine = new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
    limits: { maxBatchEvents: 10 },
  });
  const real = engine.publishEvents.bind(engine);
  const batches: number[] = [];
  engine.publishEvents = (taskId, events) => {
    batches.push(events.length);
    return publish(real, taskId, events);
  };
  return { engine, batches };
}

async function stored(engine: TaskEngine, taskId: string): Promise<unknown[]> {
  return (await engine.getEvents(taskId)).events.map(({ data }) => data);
}

Deno.test("EngineSink: stores events of one turn together, in order and in bounded batches", async () => {
  const { engine, batches } = setUp();
  await using _closed = engine;
  const { id } = await engine.createTask();
  const sink = await EngineSink.open(engine, id, 4 * 1024 * 1024);
  for (let i = 0; i < 25; i++) await sink.publish(event(i));
  await sink.close();
  assert.deepEqual(await stored(engine, id), Array.from({ length: 25 }, (_, i) => i));
  assert(batches.length < 25 && batches.every((length) => length <= 10), `${batches}`);
});

Deno.test("EngineSink: retries while the store cannot be reached, and stores each event once", async () => {
  let calls = 0;
  const { engine } = setUp(async (next, ...args) => {
    const answer = ++calls % 2 === 0 ? await next(...args) : undefined;
    if (calls < 4) throw new TaskcastError("STORE_UNAVAILABLE", "Nobody answers");
    return answer ?? await next(...args);
  });
  await using _closed = engine;
  const { id } = await engine.createTask();
  const sink = await EngineSink.open(engine, id, 4 * 1024 * 1024);
  await sink.publish(event(1));
  await sink.publish(event(2));
  await sink.close();
  assert.deepEqual(await stored(engine, id), [1, 2]);
  assert(calls >= 4);
});

Deno.test("EngineSink: a refusal ends the sink, and later calls reject with its reason", async () => {
  const { engine } = setUp();
  await using _closed = engine;
  const { id } = await engine.createTask();
  const sink = await EngineSink.open(engine, id, 4 * 1024 * 1024);
  await sink.publish({ type: "taskcast:status", data: {} });
  await assert.rejects(sink.close(), { code: "INVALID_INPUT" });
  await assert.rejects(sink.publish(event(1)), { code: "INVALID_INPUT" });
  assert(sink.signal.aborted);
});

Deno.test("EngineSink: the end of the task elsewhere ends the sink at once", async () => {
  const { engine } = setUp();
  await using _closed = engine;
  const { id } = await engine.createTask();
  const sink = await EngineSink.open(engine, id, 4 * 1024 * 1024);
  const aborted = new Promise((resolve) => sink.signal.addEventListener("abort", resolve));
  await engine.transitionTask(id, "cancelled");
  await aborted;
  await assert.rejects(sink.publish(event(1)), { code: "TASK_TERMINAL" });
  await assert.rejects(sink.close(), { code: "TASK_TERMINAL" });
});

Deno.test("EngineSink: publish() waits while too much is not stored yet", async () => {
  const held = Promise.withResolvers<void>();
  const { engine } = setUp(async (next, ...args) => {
    await held.promise;
    return await next(...args);
  });
  await using _closed = engine;
  const { id } = await engine.createTask();
  const sink = await EngineSink.open(engine, id, 4 * 1024 * 1024);
  const megabyte = { type: "n", data: "x".repeat(1_000_000) };
  for (let i = 0; i < 4; i++) await sink.publish(megabyte);
  let isAccepted = false;
  const fifth = sink.publish(megabyte).then(() => isAccepted = true);
  await new Promise((resolve) => setTimeout(resolve));
  assert(!isAccepted);
  held.resolve();
  await fifth;
  await sink.close();
  assert.equal((await engine.getTask(id))!.lastIndex, 4);
});
