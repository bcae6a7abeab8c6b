import type { TaskEngine } from "@taskcast/core";
import type { Instruments } from "./instruments.ts";
import { Probe } from "./probe.ts";

/** However often metrics are asked for, dependencies are asked once in so many milliseconds. */
const PROBE_MS = 5_000;

/** Milliseconds that a scrape waits for dependencies; then it tells what was known before. */
const PATIENCE_MS = 1_000;

/** Milliseconds for which a check of dependencies goes on meanwhile: by then each has an outcome. */
const CHECK_MS = 10_000;

const ROLES = {
  shortTermStore: "short_term_store",
  longTermStore: "long_term_store",
  broadcast: "broadcast",
} as const;

/**
 * Measures whether dependencies answer, and what waits for the archive.
 *
 * @returns What is to be waited for before metrics are collected.
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
  make.gauges("dependency_up", "Whether a dependency answers, by its role", "role", () => {
    const states = Object.entries(up.newest ?? {});
    return Object.fromEntries(
      states.map(([name, { ok }]) => [ROLES[name as keyof typeof ROLES] ?? name, ok ? 1 : 0]),
    );
  });
  make.gauge(
    "archive_backlog_tasks",
    "Tasks that are marked for the archive, 500 at most; left out when unknown",
    () => backlog.newest,
  );
  return async () => {
    await Promise.all([up.refresh(), backlog.refresh()]);
  };
}
