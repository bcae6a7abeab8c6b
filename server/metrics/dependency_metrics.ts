import type { TaskEngine } from "@taskcast/core";
import type { Instruments } from "./instruments.ts";
import { Probe } from "./probe.ts";

/** Minimum time between two checks of the dependencies, however often metrics are read. */
const PROBE_MS = 5_000;

/** Time that a scrape waits for the checks. After that it shows the last known state. */
const PATIENCE_MS = 1_000;

/** Time that a check may go on in the background, after which each dependency has an outcome. */
const CHECK_MS = 10_000;

const ROLES = {
  shortTermStore: "short_term_store",
  longTermStore: "long_term_store",
  broadcast: "broadcast",
} as const;

/**
 * Adds metrics about dependencies and about work that waits for the archive.
 *
 * @returns A function to await before metrics are read.
 */
export function addDependencyMetrics(make: Instruments, engine: TaskEngine): () => Promise<void> {
  const up = new Probe(() => engine.check({ patienceMs: CHECK_MS }), {
    everyMs: PROBE_MS,
    patienceMs: PATIENCE_MS,
  });
  const backlog = new Probe(() => engine.archiveBacklog(), {
    everyMs: PROBE_MS,
    patienceMs: PATIENCE_MS,
  });
  make.gauges("dependency_up", "1 if a dependency answers, else 0, by role", "role", () => {
    const states = Object.entries(up.newest ?? {});
    return Object.fromEntries(
      states.map(([name, { ok }]) => [ROLES[name as keyof typeof ROLES] ?? name, ok ? 1 : 0]),
    );
  });
  make.gauge(
    "archive_backlog_tasks",
    "Tasks waiting for the archive, up to 500; left out when unknown",
    () => backlog.newest,
  );
  return async () => {
    await Promise.all([up.refresh(), backlog.refresh()]);
  };
}
