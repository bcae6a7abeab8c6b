import { TaskcastClient } from "@taskcast/client";
import { TaskcastServerClient } from "@taskcast/server-sdk";
import type { Bench } from "../load.ts";
import { quantile } from "../load.ts";

/** Many tasks with an event every 50 ms and a reader each: from the publisher's call to the reader. */
export async function latency({ url, scale, report }: Bench): Promise<void> {
  const tasks = Math.ceil(500 * scale);
  const seconds = 5;
  const server = new TaskcastServerClient({ baseUrl: url });
  const client = new TaskcastClient({ baseUrl: url });
  const latenciesMs: number[] = [];
  let warm = false;
  setTimeout(() => warm = true, 2_000); // Connecting them all is not what is measured.
  await Promise.all(Array.from({ length: tasks }, async (_, n) => {
    const { id } = await server.createTask();
    const reading = client.subscribe(id, {
      filter: { types: ["tick"] },
      onEvent({ data }) {
        if (warm) latenciesMs.push(performance.now() - (data as { at: number }).at);
      },
    });
    const publisher = server.openPublisher(id);
    // Spread over the period, so that not all publish in the same instant.
    await wait(50 * n / tasks);
    for (let i = 0; i < 20 * seconds; i++) {
      await publisher.publish({ type: "tick", data: { at: performance.now() } });
      await wait(50);
    }
    await publisher.close();
    await server.transitionTask(id, "completed");
    await reading;
  }));
  report({
    scenario: `latency, ${tasks} tasks × 20 events/s, publisher to reader, median`,
    value: quantile(latenciesMs, 0.5),
    unit: "ms",
    details: {
      p95: quantile(latenciesMs, 0.95),
      p99: quantile(latenciesMs, 0.99),
      max: quantile(latenciesMs, 1),
      events: latenciesMs.length,
    },
  });
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
