import type { Instruments } from "./instruments.ts";

/** Process information that Deno, Node and Bun have; edge runtimes may not. */
interface Process {
  cpuUsage?(): { user: number; system: number };
  memoryUsage?(): { rss: number; heapUsed: number; heapTotal: number };
  uptime?(): number;
}

/**
 * Adds metrics about the process. Written by hand, since the collectors of prom-client read files
 * and use parts of Node that not every runtime has.
 *
 * @param make Instruments without a prefix: these names are common to all programs.
 * @returns A function to await before metrics are read.
 */
export function addProcessMetrics(make: Instruments): () => Promise<void> {
  const { process = {} } = globalThis as { process?: Process };
  const startedAt = Date.now() / 1000 - (process.uptime?.() ?? 0);
  make.gauge("process_start_time_seconds", "When the process started, Unix time", () => startedAt);
  if (has(() => process.cpuUsage!().user)) {
    make.counted("process_cpu_seconds_total", "CPU time used", () => {
      const { user, system } = process.cpuUsage!();
      return (user + system) / 1e6;
    });
  }
  if (has(() => process.memoryUsage!().rss)) {
    const memory =
      (read: (usage: ReturnType<NonNullable<Process["memoryUsage"]>>) => number) => () =>
        read(process.memoryUsage!());
    make.gauge("process_resident_memory_bytes", "Memory in RAM", memory(({ rss }) => rss));
    make.gauge("process_heap_bytes", "Heap of the runtime", memory((usage) => usage.heapTotal));
    make.gauge("process_heap_used_bytes", "Heap in use", memory((usage) => usage.heapUsed));
  }
  let lagSeconds = 0;
  make.gauge(
    "process_event_loop_lag_seconds",
    "Duration of one turn of the event loop while metrics were read",
    () => lagSeconds,
  );
  return async () => {
    const startMs = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 0));
    lagSeconds = (performance.now() - startMs) / 1000;
  };
}

function has(read: () => number): boolean {
  try {
    return Number.isFinite(read());
  } catch {
    return false;
  }
}
