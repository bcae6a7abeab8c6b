import type { EventInput, TaskEngine } from "@taskcast/core";

/** How many events an array has. */
export const BATCH = 100;

/** An event as agents report steps. */
export const EVENT: EventInput = {
  type: "bench.step",
  data: { i: 123, text: "x".repeat(40) },
};

/** What the raw baselines keep of an event: as many bytes as our stores keep of its data. */
export const DATA: string = JSON.stringify(EVENT.data);

/** What a measurement found. */
export interface Load {
  eventsPerSecond: number;
  /** Milliseconds of each call. */
  tookMs: number[];
}

/** Calls `work` for a while, so many at a time, each with so many events. A failure ends it all. */
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

/** Running tasks, one for each worker up to 32. */
export async function createTasks(engine: TaskEngine, concurrency: number): Promise<string[]> {
  const count = Math.min(concurrency, 32);
  return await Promise.all(
    Array.from({ length: count }, async () => (await engine.createTask({ type: "bench" })).id),
  );
}

/** Bounds that no measurement reaches. */
export const LIMITS = { maxEventsPerTask: 100_000_000, maxBytesPerTask: 1e12 };

/** Appends to an engine, one event a call, and so many calls at a time. */
export async function singles(
  engine: TaskEngine,
  concurrency: number,
  ms: number,
): Promise<Load> {
  const ids = await createTasks(engine, concurrency);
  return await loadOf(concurrency, ms, (i) => engine.appendEvent(ids[i % ids.length]!, EVENT));
}

/** The same in arrays. */
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
