import { rounded } from "./measure.ts";
import type { Result } from "./result.ts";

/**
 * Returns a table in Markdown: a row for each scenario, storage and baseline, a column for each set
 * of results. If a set has a scenario several times, the last one counts.
 */
export function resultTable(columns: ReadonlyMap<string, readonly Result[]>): string {
  const rows = new Map<string, Map<string, string>>();
  for (const [column, results] of columns) {
    for (const result of results) {
      const row = [result.storage, result.scenario, result.baselineName ?? ""].join(" | ");
      rows.set(row, (rows.get(row) ?? new Map()).set(column, cell(result)));
    }
  }
  const names = [...columns.keys()];
  return [
    `| Storage | Scenario | Compared with | ${names.join(" | ")} |`,
    `| --- | --- | --- |${" ---: |".repeat(names.length)}`,
    ...[...rows].map(([row, cells]) =>
      `| ${row} | ${names.map((name) => cells.get(name) ?? "").join(" | ")} |`
    ),
  ].join("\n");
}

function cell({ value, unit, ratio, ok }: Result): string {
  return `${grouped(value)} ${unit}` + (ratio === undefined ? "" : `, ${rounded(ratio)}`) +
    (ok === false ? ", target missed" : "");
}

/** Returns a number with three significant digits, thousands separated by spaces. */
export function grouped(value: number): string {
  const [whole, part] = String(rounded(value)).split(".");
  return whole!.replaceAll(/\B(?=(\d{3})+$)/g, " ") + (part === undefined ? "" : `.${part}`);
}
