import type { Result } from "../harness/result.ts";
import { barChart } from "./bar_chart.ts";
import { lineChart } from "./line_chart.ts";
import type { Results, SoakSample } from "./results.ts";
import { resultTable, soakTable } from "./tables.ts";

/** How the files of results are called in the report, in this order. */
const TITLES: Readonly<Record<string, string>> = {
  memory: "Memory",
  "memory-requests": "Memory, by a client that does not sleep",
  "memory-node": "Memory, listening by node:http",
  sqlite: "SQLite, over HTTP",
  redis: "Redis, over HTTP",
  postgres: "PostgreSQL, over HTTP",
  "redis+postgres": "Redis with PostgreSQL as the archive, over HTTP",
  stores: "Stores against what they stand on, without HTTP",
};

/** Returns the report's files, by their names. */
export function renderReport({ loads, soaks }: Results): Record<string, string> {
  const files: Record<string, string> = {};
  const parts: string[] = [
    "# Results",
    "",
    "Made by `deno task bench:report` of the files in `results/`; [how to read them](README.md).",
  ];
  const add = (name: string, about: string, svg: string | undefined) => {
    if (svg === undefined) return;
    files[`charts/${name}.svg`] = svg;
    parts.push("", `![${about}](charts/${name}.svg)`);
  };
  for (const group of Object.keys(TITLES).filter((name) => name in loads)) {
    parts.push("", `## ${TITLES[group]}`);
    if (group === "memory") {
      add("ratios", "Ratios to the bare server of the same run", ratioChart(loads[group]!));
      add("fan-out", "Events delivered a second", fanOutChart(loads[group]!));
    }
    parts.push("", resultTable(loads[group]!));
  }
  add("stores", "Single events published a second, by store", storeChart(loads));
  for (const [storage, samples] of Object.entries(soaks)) {
    parts.push("", `## Soak, ${storage}`);
    add(`soak-${storage}-memory`, "Memory over time", memoryChart(samples));
    add(`soak-${storage}-latency`, "Latency over time", latencyChart(samples));
    parts.push("", soakTable(samples));
  }
  files["RESULTS.md"] = parts.join("\n") + "\n";
  return files;
}

function ratioChart(results: readonly Result[]): string | undefined {
  const rows = results.filter(({ ratio, baselineName }) => ratio !== undefined && baselineName);
  if (rows.length === 0) return undefined;
  return barChart({
    title: "Taskcast against the bare server of the same run (1 = as much)",
    groups: rows.map(({ scenario, ratio, target, targetIs }) => ({
      name: scenario,
      bars: [ratio!],
      mark: targetIs === "ratio at least" ? target : undefined,
    })),
    series: ["ratio; the line is what is asked for"],
  });
}

function fanOutChart(results: readonly Result[]): string | undefined {
  const bursts = results.filter(({ scenario }) => /^fan-out to .* bursts/.test(scenario));
  const readers = [...new Set(bursts.map(({ scenario }) => scenario.split(",")[0]!))];
  if (readers.length === 0) return undefined;
  const find = (name: string, kind: string) =>
    bursts.find(({ scenario }) => scenario === `${name}, bursts, ${kind}`);
  return barChart({
    title: "Events delivered a second, over all readers",
    groups: readers.map((name) => ({
      name,
      bars: [
        find(name, "plain")?.value ?? 0,
        find(name, "accumulate")?.value ?? 0,
        find(name, "plain")?.baseline ?? 0,
      ],
    })),
    series: ["Taskcast, plain", "Taskcast, accumulate", "bare, one shared chunk a burst"],
  });
}

function storeChart(loads: Results["loads"]): string | undefined {
  const groups = Object.entries(loads).flatMap(([storage, results]) => {
    const found = results.find(({ scenario }) => scenario === "publish single events, 32 tasks");
    return found === undefined ? [] : [{ name: storage, bars: [found.value, found.baseline ?? 0] }];
  });
  if (groups.length < 2) return undefined;
  return barChart({
    title: "Single events published a second over HTTP, 32 tasks",
    groups,
    series: ["Taskcast", "bare route of the same run"],
  });
}

function memoryChart(samples: readonly SoakSample[]): string {
  const points = (key: string) => samples.map((sample) => [sample.atSeconds! / 60, sample[key]!]);
  return lineChart({
    title: "Memory of the server, MiB, over minutes",
    lines: [
      { name: "resident", points: points("rssMiB") as [number, number][] },
      { name: "heap in use", points: points("heapMiB") as [number, number][] },
    ],
  });
}

function latencyChart(samples: readonly SoakSample[]): string {
  // Behind the end there is no load to be timed.
  const loaded = samples.filter(({ afterwards }) => !afterwards);
  const points = (key: string) => loaded.map((sample) => [sample.atSeconds! / 60, sample[key]!]);
  return lineChart({
    title: "Latency, ms, over minutes",
    lines: [
      { name: "delivery, 99 %", points: points("deliveryP99Ms") as [number, number][] },
      { name: "publish, 99 %", points: points("publishP99Ms") as [number, number][] },
      { name: "delivery, median", points: points("deliveryP50Ms") as [number, number][] },
    ],
  });
}
