// Measures the size of the npm packages, what they add to a page, and how long a project that
// imports all of them takes to type-check.
//
//   deno run -A benchmarks/packages.ts
import { installProject } from "../tests/npm/project.ts";
import { bundleClient, gzippedBytes } from "../tools/bundle_client.ts";
import { run } from "../tools/npm/run.ts";

const ROUNDS = 5;

await using project = await installProject();
for await (const { name } of Deno.readDir(`${project.folder}packed`)) {
  const { size } = await Deno.stat(`${project.folder}packed/${name}`);
  console.log(JSON.stringify({ package: name, bytes: size }));
}
const text = await bundleClient();
console.log(JSON.stringify({ bundle: "client", gzipped: await gzippedBytes(text) }));

const entries = project.members.flatMap(({ name, exports }) =>
  Object.keys(exports).filter((at) => at !== "./bin").map((at) => name + at.slice(1))
);
const program = (names: readonly string[]) =>
  names.map((name, i) => `import * as m${i} from ${JSON.stringify(name)};\n`).join("") +
  `console.log(${names.map((_, i) => `m${i}`)});\n`;
await project.write("all.ts", program(entries));
await project.write("client.ts", program(["@taskcast/client"]));
await project.write("none.ts", "console.log(1);\n");
const args = ["--noEmit", "--strict", "--skipLibCheck", "false", "--target", "es2022"];
const times: Record<string, number[]> = { none: [], client: [], all: [] };
// In turns, so that noise affects all of them.
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, taken] of Object.entries(times)) {
    const startMs = performance.now();
    const command = ["--no-install", "tsc", ...args, "--module", "nodenext", "--types", "node"];
    await run("npx", [...command, `${name}.ts`], { cwd: project.folder });
    taken.push(performance.now() - startMs);
  }
}
for (const [name, taken] of Object.entries(times)) {
  const medianMs = Math.round(taken.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)]!);
  console.log(JSON.stringify({ typeCheck: name, medianMs, rounds: ROUNDS }));
}
