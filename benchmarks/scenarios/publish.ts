import type { Bench } from "../load.ts";
import { createTask, plainEvent, rate, send } from "../load.ts";

/** Creating tasks and publishing, one request for each event, for a hundred, and for all. */
export async function publish({ url, baselineUrl, scale, report }: Bench): Promise<void> {
  const count = 20_000 * scale;
  const drop = async (response: Promise<Response>) => await (await response).body?.cancel();
  // Warm-up for both, so that neither is measured before it is compiled.
  await rate(2_000 * scale, 32, (i) => drop(send("POST", `${baselineUrl}/echo`, plainEvent(i))));
  await rate(2_000 * scale, 32, () => drop(send("POST", `${url}/tasks`, {})));

  const baseline = await rate(
    count,
    32,
    (i) => drop(send("POST", `${baselineUrl}/echo`, plainEvent(i))),
  );
  const unit = "requests/s";
  const created = await rate(count, 32, () => drop(send("POST", `${url}/tasks`, {})));
  report({ scenario: "create tasks", value: created, unit, baseline });

  for (const tasks of [1, 32]) {
    const ids = await Promise.all(Array.from({ length: tasks }, () => createTask(url)));
    const value = await rate(
      count,
      32,
      (i) => drop(send("POST", `${url}/tasks/${ids[i % tasks]}/events`, plainEvent(i))),
    );
    report({ scenario: `publish single events, ${tasks} task(s)`, value, unit, baseline });
  }

  const batch = Array.from({ length: 100 }, (_, i) => plainEvent(i));
  const batchBaseline = 100 * await rate(
    1_000 * scale,
    8,
    () => drop(send("POST", `${baselineUrl}/echo`, batch)),
  );
  const id = await createTask(url);
  const batches = await rate(
    1_000 * scale,
    8,
    () => drop(send("POST", `${url}/tasks/${id}/events`, batch)),
  );
  report({
    scenario: "publish batches of 100",
    value: 100 * batches,
    unit: "events/s",
    baseline: batchBaseline,
  });

  report({
    scenario: "publish over one NDJSON request",
    value: await ndjson(url, 200_000 * scale),
    unit: "events/s",
  });
}

async function ndjson(url: string, count: number): Promise<number> {
  const id = await createTask(url);
  const encoder = new TextEncoder();
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (sent >= count) return controller.close();
      let lines = "";
      for (let i = 0; i < 500 && sent < count; i++) {
        lines += JSON.stringify(plainEvent(sent++)) + "\n";
      }
      controller.enqueue(encoder.encode(lines));
    },
  });
  const startedMs = performance.now();
  const response = await fetch(`${url}/tasks/${id}/events`, {
    method: "POST",
    headers: { "content-type": "application/x-ndjson" },
    body,
  });
  const { published } = await response.json();
  if (published !== count) throw new Error(`published ${published} of ${count}`);
  return count / ((performance.now() - startedMs) / 1000);
}
