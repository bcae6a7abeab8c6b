// Makes tables and charts of what bench:load and bench:soak wrote.
//
//   deno task bench:report [--results benchmarks/results] [--check]
import { parseArgs } from "node:util";
import { renderReport } from "./report/render.ts";
import { readResults } from "./report/results.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: {
    results: { type: "string" },
    /** Only says whether the files are current. */
    check: { type: "boolean", default: false },
  },
});
const folder = values.results ?? new URL("./results", import.meta.url).pathname;
const out = new URL("./", import.meta.url);
for (const [name, text] of Object.entries(renderReport(await readResults(folder)))) {
  const file = new URL(name, out);
  if (!values.check) {
    await Deno.mkdir(new URL("./", file), { recursive: true });
    await Deno.writeTextFile(file, text);
    console.log(`benchmarks/${name}`);
  } else if (await Deno.readTextFile(file).catch(() => "") !== text) {
    console.error(`benchmarks/${name} is not current: deno task bench:report`);
    Deno.exit(1);
  }
}
