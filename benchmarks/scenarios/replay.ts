import type { Bench } from "../load.ts";
import { createTask, plainEvent, quantile, send, tokenEvent } from "../load.ts";

/** Joining late, and what a publish costs when the log has become long. */
export async function replay(bench: Bench): Promise<void> {
  const count = Math.ceil(50_000 * bench.scale);
  const plain = await fill(bench.url, count, plainEvent);
  const { ms } = await readOnce(bench.url, plain);
  bench.report({
    scenario: `replay of ${count} events`,
    value: count / (ms / 1000),
    unit: "events/s",
  });
  const series = await fill(bench.url, count, tokenEvent);
  const joined = await readOnce(bench.url, series);
  bench.report({
    scenario: `late join to a series of ${count} deltas`,
    value: joined.ms,
    unit: "ms",
    details: { bytes: joined.bytes },
  });
}

/** One event at a time to a log of 100 000 events, against one of 1 000, in turns. */
export async function growth({ url, scale, report }: Bench): Promise<void> {
  for (const [kind, makeEvent] of [["plain", plainEvent], ["accumulate", tokenEvent]] as const) {
    const ids = {
      short: await fill(url, 1_000, makeEvent),
      long: await fill(url, Math.ceil(100_000 * scale), makeEvent),
    };
    const times: Record<keyof typeof ids, number[]> = { short: [], long: [] };
    for (let i = 0; i < 3_000; i++) {
      for (const log of ["short", "long"] as const) {
        const startedMs = performance.now();
        await (await send("POST", `${url}/tasks/${ids[log]}/events`, makeEvent(i))).body?.cancel();
        if (i > 500) times[log].push(performance.now() - startedMs);
      }
    }
    report({
      scenario: `one publish to a log of 100 000 events, against one of 1 000, ${kind}`,
      value: quantile(times.long, 0.5),
      unit: "ms",
      baseline: quantile(times.short, 0.5),
    });
  }
}

/** Makes a task with so many events, which is still live. */
async function fill(
  url: string,
  count: number,
  makeEvent: (i: number) => unknown,
): Promise<string> {
  const id = await createTask(url);
  for (let at = 0; at < count; at += 500) {
    const batch = Array.from({ length: Math.min(500, count - at) }, (_, i) => makeEvent(at + i));
    await (await send("POST", `${url}/tasks/${id}/events`, batch)).body?.cancel();
  }
  return id;
}

/** Ends a task and reads it from the beginning. */
async function readOnce(url: string, id: string): Promise<{ ms: number; bytes: number }> {
  await (await send("PATCH", `${url}/tasks/${id}/status`, { status: "completed" })).body?.cancel();
  const startedMs = performance.now();
  const response = await fetch(`${url}/tasks/${id}/events`);
  let bytes = 0;
  for await (const chunk of response.body!) bytes += chunk.length;
  return { ms: performance.now() - startedMs, bytes };
}
