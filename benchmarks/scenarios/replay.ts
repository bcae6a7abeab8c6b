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

/** One event at a time, when the log has 1 000 events and when it has 100 000. */
export async function growth({ url, scale, report }: Bench): Promise<void> {
  const id = await createTask(url);
  const medians: number[] = [];
  let length = 0;
  for (const target of [1_000, Math.ceil(100_000 * scale)]) {
    for (; length < target; length += 500) {
      const batch = Array.from({ length: 500 }, (_, i) => tokenEvent(i));
      await (await send("POST", `${url}/tasks/${id}/events`, batch)).body?.cancel();
    }
    const times: number[] = [];
    for (let i = 0; i < 2_000; i++, length++) {
      const startedMs = performance.now();
      await (await send("POST", `${url}/tasks/${id}/events`, tokenEvent(i))).body?.cancel();
      times.push(performance.now() - startedMs);
    }
    medians.push(quantile(times, 0.5));
  }
  report({
    scenario: "one publish after 100 000 events, against after 1 000",
    value: medians[1]!,
    unit: "ms",
    baseline: medians[0]!,
  });
}

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
  await (await send("PATCH", `${url}/tasks/${id}/status`, { status: "completed" })).body?.cancel();
  return id;
}

async function readOnce(url: string, id: string): Promise<{ ms: number; bytes: number }> {
  const startedMs = performance.now();
  const response = await fetch(`${url}/tasks/${id}/events`);
  let bytes = 0;
  for await (const chunk of response.body!) bytes += chunk.length;
  return { ms: performance.now() - startedMs, bytes };
}
