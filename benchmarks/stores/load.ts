import type { EventInput, TaskEngine } from "@taskcast/core";

/** Events in an array. */
export const BATCH = 100;

/** An event like an agent's step. */
export const EVENT: EventInput = {
  type: "bench.step",
  data: { i: 123, text: "x".repeat(40) },
};

/** Data that the raw baselines store for an event, as long as what our stores store. */
export const DATA: string = JSON.stringify(EVENT.data);

/** Outcome of a measurement. */
export interface Load {
  eventsPerSecond: number;
  /** Duration of each call. */
  tookMs: number[];
}

/** Calls `work` for `ms` milliseconds, `concurrency` calls at a time. A failure ends the run. */
export async function loadOf(
  concurrency: number,
  ms: number,
  work: (worker: number) => Promise<unknown>,
  events = 1,
): Promise<Load> {
  const tookMs: number[] = [];
  const startedMs = performance.now();
  const endMs = startedMs + ms;
  await Promise.all(Array.from({ length: concurrency }, async (_, worker) => {
    for (let nowMs = startedMs; nowMs < endMs;) {
      const calledMs = nowMs;
      await work(worker);
      nowMs = performance.now();
      tookMs.push(nowMs - calledMs);
    }
  }));
  const seconds = (performance.now() - startedMs) / 1000;
  return { eventsPerSecond: events * tookMs.length / seconds, tookMs };
}

/** Creates tasks, one for each worker up to 32. */
export async function createTasks(engine: TaskEngine, concurrency: number): Promise<string[]> {
  const count = Math.min(concurrency, 32);
  return await Promise.all(
    Array.from({ length: count }, async () => (await engine.createTask({ type: "bench" })).id),
  );
}

/** Limits that no measurement reaches. */
export const LIMITS = { maxEventsPerTask: 100_000_000, maxBytesPerTask: 1e12 };

/** Appends single events to an engine. */
export async function singles(
  engine: TaskEngine,
  concurrency: number,
  ms: number,
): Promise<Load> {
  const ids = await createTasks(engine, concurrency);
  return await loadOf(concurrency, ms, (i) => engine.appendEvent(ids[i % ids.length]!, EVENT));
}

/** Appends arrays of events to an engine. */
export async function batches(
  engine: TaskEngine,
  concurrency: number,
  ms: number,
): Promise<Load> {
  const ids = await createTasks(engine, concurrency);
  const events = Array.from({ length: BATCH }, () => EVENT);
  const work = (i: number) => engine.appendEvents(ids[i % ids.length]!, events);
  return await loadOf(concurrency, ms, work, BATCH);
}
