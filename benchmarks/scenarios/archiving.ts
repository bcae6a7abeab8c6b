import { createTask, deleteTask } from "../harness/api.ts";
import type { Bench } from "../harness/bench.ts";
import { batchOf, plainEvent } from "../harness/events.ts";
import { loadRequests } from "../harness/http_load.ts";
import { inTurns, median, pause, ratioOf } from "../harness/measure.ts";
import { usageOf, watchUsage } from "../harness/processes.ts";
import type { Server } from "../harness/server.ts";

const TASKS = 32;

/** Load before each measurement; a server that was idle is up to a third slower at first. */
const WARM_UP_SECONDS = 2;
const POLL_MS = 100;

/**
 * Measures what archiving costs publishers: a server on Redis with PostgreSQL behind it, beside one
 * on Redis alone. All of their processes and the client share the machine.
 */
export async function archiving(bench: Bench): Promise<void> {
  const { startOn, storage } = bench;
  if (startOn === undefined || storage !== "redis+postgres") return;
  await using plain = await startOn("redis");
  await measure(bench, plain, { name: "single events", body: plainEvent(1), events: 1 });
  await measure(bench, plain, { name: "batches of 100", body: batchOf(100), events: 100 });
}

/** A kind of request. */
interface Kind {
  name: string;
  body: unknown;
  events: number;
}

async function measure(bench: Bench, plain: Server, { name, body, events }: Kind): Promise<void> {
  const { server, rounds, seconds, connections } = bench;
  const load = async (to: Server) => {
    const { url } = to;
    const ids = await Promise.all(Array.from({ length: TASKS }, () => createTask(url)));
    const requests = ids.map((id) => ({
      method: "POST" as const,
      path: `/tasks/${id}/events`,
      body,
    }));
    const send = (seconds: number) => loadRequests({ url, requests, connections, seconds });
    if (seconds >= WARM_UP_SECONDS) await send(WARM_UP_SECONDS);
    const run = await watchUsage(to, () => send(seconds));
    // Archiving that is left must not slow the next measurement.
    if (to === server) await untilArchived(url);
    await Promise.all(ids.map((id) => deleteTask(url, id)));
    return run;
  };
  const runs = await inTurns(rounds, {
    archived: () => load(server),
    plain: () => load(plain),
  });
  const rates = (of: typeof runs.plain) => of.map(({ value }) => value.requestsPerSecond * events);
  bench.report({
    scenario: `publish ${name}, ${TASKS} tasks, beside the archive`,
    unit: "events/s",
    value: median(rates(runs.archived)),
    baseline: median(rates(runs.plain)),
    baselineName: "the same without an archive",
    ratio: ratioOf(rates(runs.archived), rates(runs.plain)),
    target: 0.8,
    targetIs: "ratio at least",
    rounds,
    p50Ms: median(runs.archived.map(({ value }) => value.p50Ms)),
    p99Ms: median(runs.archived.map(({ value }) => value.p99Ms)),
    errors: [...runs.archived, ...runs.plain].reduce((sum, { value }) => sum + value.errors, 0),
    connections,
    ...usageOf(runs.archived),
    generator: runs.archived[0]!.value.generator,
  });
}

/** Waits until all stored events are archived. */
async function untilArchived(url: string): Promise<void> {
  for (;;) {
    const text = await (await fetch(`${url}/metrics`)).text();
    const [stored, archived] = ["stored", "archived"].map((what) =>
      Number(new RegExp(`^taskcast_events_${what}_total (\\d+)$`, "m").exec(text)![1])
    );
    if (archived === stored) return;
    await pause(POLL_MS);
  }
}
