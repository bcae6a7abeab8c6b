// Prints results as a table in Markdown with a column for each file, to compare releases.
//
//   deno run -A benchmarks/table.ts benchmarks/results/0.1.0.jsonl [OTHER.jsonl …]
import { basename } from "node:path";
import { resultTable } from "./harness/result_table.ts";
import type { Result } from "./harness/result.ts";

if (Deno.args.length === 0) {
  console.error("Name files of results: deno run -A benchmarks/table.ts FILE…");
  Deno.exit(2);
}
const columns = new Map<string, Result[]>();
for (const file of Deno.args) {
  const lines = (await Deno.readTextFile(file)).split("\n").filter((line) => line !== "");
  columns.set(basename(file, ".jsonl"), lines.map((line) => JSON.parse(line)));
}
console.log(resultTable(columns));
