import { median } from "../harness/measure.ts";
import type { Result } from "../harness/result.ts";
import type { SoakSample } from "./results.ts";

/** Figures that are shown behind the others where a result has them, with what they are called. */
const DETAILS: readonly [key: string, name: string, unit: string][] = [
  ["ratioOnNode", "ratio to a bare server on node:http", ""],
  ["p50Ms", "median", " ms"],
  ["p99Ms", "99 %", " ms"],
  ["bareP50Ms", "bare median", " ms"],
  ["bareP99Ms", "bare 99 %", " ms"],
  ["coldMs", "the first of the process", " ms"],
  ["firstByteMs", "first byte", " ms"],
  ["spreadMs", "first to last reader", " ms"],
  ["eventsPerSecond", "events", "/s"],
  ["serverRssMiB", "server", " MiB"],
  ["serverCpu", "server's CPU", ""],
  ["clientCpu", "client's CPU", ""],
  ["bareServerCpu", "bare server's CPU", ""],
  ["errors", "errors", ""],
  ["missing", "missing", ""],
  ["doubled", "doubled", ""],
  ["outOfOrder", "out of order", ""],
];

/** A table of results. */
export function resultTable(results: readonly Result[]): string {
  // Where one table has several, each line says which.
  const several = new Set(results.map(({ storage }) => storage)).size > 1;
  const rows = results.map((result) => {
    const { scenario, storage, value, unit, baseline, ratio } = result;
    return [
      several ? `${storage}: ${scenario}` : scenario,
      `${shown(value)} ${unit}`,
      baseline === undefined ? "" : shown(baseline) + (several ? ` (${result.baselineName})` : ""),
      ratio === undefined ? "" : shown(ratio),
      asked(result),
      details(result),
    ];
  });
  return table(["Scenario", "Taskcast", "Baseline", "Ratio", "Asked for", "Beside"], rows);
}

/** What a soak came to: its first and its last third, and what was left. */
export function soakTable(samples: readonly SoakSample[]): string {
  const loaded = samples.filter(({ afterwards }) => !afterwards);
  const third = Math.floor(loaded.length / 3);
  const [first, last] = [loaded.slice(third, 2 * third), loaded.slice(-third)];
  const left = samples.find(({ afterwards }) => afterwards);
  const middle = (of: readonly SoakSample[], key: string) => shown(median(of.map((s) => s[key]!)));
  const rows = ([
    ["resident memory, MiB", "rssMiB"],
    ["heap in use, MiB", "heapMiB"],
    ["delivery, median, ms", "deliveryP50Ms"],
    ["delivery, 99 %, ms", "deliveryP99Ms"],
    ["publish, 99 %, ms", "publishP99Ms"],
    ["server's CPU", "serverCpu"],
    ["streams", "streams"],
    ["tails", "tails"],
  ] as const).map(([name, key]) => [
    name,
    middle(first, key),
    middle(last, key),
    left?.[key] === undefined || /Ms$|Cpu$/.test(key) ? "" : shown(left[key]),
  ]);
  const sum = (key: string) => shown(samples.reduce((sum, sample) => sum + sample[key]!, 0));
  const counts = [
    `${sum("published")} events published`,
    `${sum("delivered")} delivered`,
    `${sum("tasksEnded")} tasks ended`,
    `${sum("readersOpened")} readers came`,
    `${sum("missing")} missing, ${sum("doubled")} doubled, ${sum("outOfOrder")} out of order`,
    `${sum("errors")} errors`,
  ];
  const leaked = left?.leakedObjects === undefined
    ? ""
    : `, ${shown(left.leakedObjects)} objects left in the heap beyond those of the first minute`;
  const waiting = left?.leakedTimers === undefined
    ? ""
    : `, ${shown(left.leakedTimers)} timers and ${shown(left.leakedListeners!)} listeners`;
  const minutes = Math.round(loaded.at(-1)!.atSeconds! / 60);
  return `${minutes} minutes: ${counts.join(", ")}${leaked}${waiting}.\n\n` +
    table(["Median of", "the second third", "the last third", "when all had left"], rows);
}

function asked({ target, targetIs, ok }: Result): string {
  if (target === undefined) return "";
  const sign = targetIs === "at most" ? "≤" : "≥";
  const what = targetIs === "ratio at least" ? "ratio " : "";
  return `${what}${sign} ${shown(target)}${ok ? ", met" : ", **not met**"}`;
}

function details(result: Result): string {
  return DETAILS.flatMap(([key, name, unit]) =>
    typeof result[key] === "number" ? [`${name} ${shown(result[key])}${unit}`] : []
  ).join(", ");
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** Numbers as people read them: thousands apart, no more digits than mean something. */
export function shown(value: number): string {
  if (!Number.isFinite(value)) return "?";
  const [whole, part] = String(Number(value.toPrecision(3))).split(".");
  const apart = whole!.replace(/\B(?=(\d{3})+$)/g, " ");
  return part === undefined ? apart : `${apart}.${part}`;
}
