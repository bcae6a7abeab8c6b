import type { Bench } from "../load.ts";
import { createTask, plainEvent, send, tokenEvent } from "../load.ts";

/** Readers, and events so that about as much is delivered each time. */
const SIZES = [[1, 50_000], [50, 10_000], [500, 2_000], [2_000, 500]] as const;

/** Bursts of 100 events to many readers: events delivered a second, over all readers. */
export async function fanOut(bench: Bench): Promise<void> {
  for (const [readers, count] of SIZES) {
    const events = Math.max(100, Math.ceil(count * bench.scale / 100) * 100);
    const bare = (query: string) =>
      deliver({
        readers,
        events,
        makeEvent: plainEvent,
        streamUrl: `${bench.baselineUrl}/events`,
        publish: (batch) => send("POST", `${bench.baselineUrl}/events${query}`, batch),
        end: () => send("DELETE", `${bench.baselineUrl}/events`),
      });
    const baseline = await bare("");
    const bareEachEvent = await bare("?each");
    for (const [kind, makeEvent] of [["plain", plainEvent], ["accumulate", tokenEvent]] as const) {
      const id = await createTask(bench.url);
      const value = await deliver({
        readers,
        events,
        makeEvent,
        streamUrl: `${bench.url}/tasks/${id}/events`,
        publish: (batch) => send("POST", `${bench.url}/tasks/${id}/events`, batch),
        end: () => send("PATCH", `${bench.url}/tasks/${id}/status`, { status: "completed" }),
      });
      bench.report({
        scenario: `fan-out to ${readers} reader(s), ${kind}`,
        value,
        unit: "deliveries/s",
        baseline,
        details: { bareEachEvent },
      });
    }
  }
}

async function deliver({ readers, events, makeEvent, streamUrl, publish, end }: {
  readers: number;
  events: number;
  makeEvent: (i: number) => unknown;
  streamUrl: string;
  publish: (batch: unknown[]) => Promise<Response>;
  end: () => Promise<Response>;
}): Promise<number> {
  const opened = await Promise.all(Array.from({ length: readers }, () => fetch(streamUrl)));
  const reading = opened.map(async ({ body }) => {
    let bytes = 0;
    for await (const chunk of body!) bytes += chunk.length;
    return bytes;
  });
  const startedMs = performance.now();
  for (let at = 0; at < events; at += 100) {
    const batch = Array.from({ length: 100 }, (_, i) => makeEvent(at + i));
    await (await publish(batch)).body?.cancel();
  }
  await (await end()).body?.cancel();
  const bytes = await Promise.all(reading);
  const seconds = (performance.now() - startedMs) / 1000;
  // Heartbeats aside, everybody got the same; a reader who got nothing would make all of this void.
  if (Math.min(...bytes) < events * 50) throw new Error(`a reader got ${Math.min(...bytes)} bytes`);
  return readers * events / seconds;
}
