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

/** Calls `work` for a while, so many at a time, and tells how many calls that was a second. */
export async function rateOf(
  concurrency: number,
  ms: number,
  work: (worker: number) => Promise<unknown>,
): Promise<number> {
  let done = 0;
  const startedMs = performance.now();
  const endMs = startedMs + ms;
  await Promise.all(Array.from({ length: concurrency }, async (_, worker) => {
    while (performance.now() < endMs) {
      await work(worker);
      done++;
    }
  }));
  return done / ((performance.now() - startedMs) / 1000);
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

/** Events that an engine appends a second, one a call, and so many calls at a time. */
export async function singles(
  engine: TaskEngine,
  concurrency: number,
  ms: number,
): Promise<number> {
  const ids = await createTasks(engine, concurrency);
  return await rateOf(concurrency, ms, (i) => engine.appendEvent(ids[i % ids.length]!, EVENT));
}

/** Events that an engine appends a second in arrays. */
export async function batches(
  engine: TaskEngine,
  concurrency: number,
  ms: number,
): Promise<number> {
  const ids = await createTasks(engine, concurrency);
  const events = Array.from({ length: BATCH }, () => EVENT);
  const work = (i: number) => engine.appendEvents(ids[i % ids.length]!, events);
  return BATCH * await rateOf(concurrency, ms, work);
}
