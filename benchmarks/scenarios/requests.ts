import { createTask, deleteTask } from "../harness/api.ts";
import type { Bench } from "../harness/bench.ts";
import { batchOf, plainEvent } from "../harness/events.ts";
import { loadRequests } from "../harness/http_load.ts";
import { inTurns, median, ratioOf } from "../harness/measure.ts";
import { usageOf, watchUsage } from "../harness/processes.ts";
import type { LoadRequest } from "../harness/request_load.ts";
import type { Server } from "../harness/server.ts";

/** A kind of request, and its target. */
interface Kind {
  name: string;
  /** Events in a request; absent if requests are counted. */
  events?: number;
  /** Returns the requests for new tasks, sent in turns. */
  requests: (ids: readonly string[]) => LoadRequest[];
  bare: LoadRequest;
  target?: number;
  targetIs?: "ratio at least" | "at least";
}

const WARM_UP_SECONDS = 2;
const TASKS = 32;

/** Measures creating tasks and publishing, a request each. */
export async function requests(bench: Bench): Promise<void> {
  const { storage } = bench;
  const inMemory = storage === "memory";
  const publish = (id: string, body: unknown): LoadRequest => ({
    method: "POST",
    path: `/tasks/${id}/events`,
    body,
  });
  const echo = (body: unknown): LoadRequest => ({ method: "POST", path: "/echo", body });
  const event = plainEvent(1);
  const kinds: Kind[] = [
    {
      name: "create tasks",
      requests: () => [{ method: "POST", path: "/tasks", body: {} }],
      bare: echo({}),
      ...inMemory ? { target: 0.4, targetIs: "ratio at least" } : {},
    },
    {
      name: "publish single events, 1 task",
      requests: ([id]) => [publish(id!, event)],
      bare: echo(event),
      ...inMemory ? { target: 0.5, targetIs: "ratio at least" } : {},
    },
    {
      name: `publish single events, ${TASKS} tasks`,
      requests: (ids) => ids.map((id) => publish(id, event)),
      bare: echo(event),
      ...inMemory ? { target: 0.5, targetIs: "ratio at least" } : {},
    },
    {
      name: "publish batches of 100",
      events: 100,
      // Many tasks, because a task has at most a million events.
      requests: (ids) => ids.map((id) => publish(id, batchOf(100))),
      bare: echo(batchOf(100)),
      ...inMemory ? { target: 200_000, targetIs: "at least" } : {},
      ...storage === "redis" ? { target: 100_000, targetIs: "at least" } : {},
    },
  ];
  await using bareOnNode = await bench.startAnotherBare("node");
  for (const kind of kinds) await measure(bench, bareOnNode, kind);
}

async function measure(bench: Bench, bareOnNode: Server, kind: Kind): Promise<void> {
  const { server, bare, rounds, seconds, connections } = bench;
  const { name, events = 1, target, targetIs } = kind;
  const load = async (to: Server, requests: LoadRequest[], seconds: number) =>
    await watchUsage(to, () => loadRequests({ url: to.url, requests, connections, seconds }));
  // New tasks for each round, so that a fast machine fills neither them nor the store.
  const loadOurs = async (seconds: number) => {
    const { url } = server;
    const ids = await Promise.all(Array.from({ length: TASKS }, () => createTask(url)));
    const run = await load(server, kind.requests(ids), seconds);
    await Promise.all(ids.map((id) => deleteTask(url, id)));
    return run;
  };
  // Warm-up, unless the run only checks that everything works.
  if (seconds >= WARM_UP_SECONDS) {
    await loadOurs(WARM_UP_SECONDS);
    await load(bare, [kind.bare], WARM_UP_SECONDS);
    await load(bareOnNode, [kind.bare], WARM_UP_SECONDS);
  }
  const { ours, theirs, onNode } = await inTurns(rounds, {
    ours: () => loadOurs(seconds),
    theirs: () => load(bare, [kind.bare], seconds),
    onNode: () => load(bareOnNode, [kind.bare], seconds),
  });
  const rates = (runs: typeof ours) => runs.map(({ value }) => value.requestsPerSecond * events);
  const bareUsage = usageOf(theirs);
  bench.report({
    scenario: name,
    unit: events === 1 ? "requests/s" : "events/s",
    value: median(rates(ours)),
    baseline: median(rates(theirs)),
    baselineName: "bare route that parses and answers the same JSON",
    ratio: ratioOf(rates(ours), rates(theirs)),
    ratioOnNode: ratioOf(rates(ours), rates(onNode)),
    target,
    targetIs,
    rounds,
    p50Ms: median(ours.map(({ value }) => value.p50Ms)),
    p99Ms: median(ours.map(({ value }) => value.p99Ms)),
    errors: [...ours, ...theirs].reduce((sum, { value }) => sum + value.errors, 0),
    connections,
    ...usageOf(ours),
    bareServerCpu: bareUsage.serverCpu,
    bareClientCpu: bareUsage.clientCpu,
    generator: ours[0]!.value.generator,
  });
}
