import type { Bench } from "../load.ts";
import { createTask } from "../load.ts";

/** Start-up, and what a reader costs who only waits. */
export async function footprint({ url, rss, startMs, scale, report }: Bench): Promise<void> {
  if (startMs !== undefined) {
    report({ scenario: "start-up to the first answer", value: startMs, unit: "ms" });
  }
  const before = await rss();
  if (before === undefined) return;
  const readers = Math.ceil(2_000 * scale);
  const id = await createTask(url);
  const streams = await Promise.all(
    Array.from({ length: readers }, async () => {
      const reader = (await fetch(`${url}/tasks/${id}/events`)).body!.getReader();
      await reader.read();
      return reader;
    }),
  );
  const after = (await rss())!;
  report({
    scenario: `memory per idle reader, of ${readers}`,
    value: (after - before) / readers / 1024,
    unit: "KiB",
    details: { rssMiB: Math.round(after / 1024 / 1024) },
  });
  await Promise.all(streams.map((reader) => reader.cancel()));
}
