// Checks the subjects of new commits: `type(scope): what`. Without a range it looks at the commits
// since --base (default: the commit before HEAD), so that history stays as it is.
//
//   deno run -A tools/commit_subjects.ts [--base REVISION]
import { parseArgs } from "node:util";
import { subjectProblem } from "./commit_subject.ts";
import { run } from "./npm/run.ts";

const { values } = parseArgs({ options: { base: { type: "string", default: "HEAD~1" } } });
const root = new URL("../", import.meta.url);
const range = await exists(values.base) ? [`${values.base}..HEAD`] : ["-1", "HEAD"];
const log = await run("git", ["log", "--no-merges", "--format=%h %s", ...range], { cwd: root });
let wrong = 0;
const commits = log.split("\n").filter((line) => line !== "");
for (const line of commits) {
  const [hash, ...words] = line.split(" ");
  const problem = subjectProblem(words.join(" "));
  if (problem === undefined) continue;
  wrong++;
  console.error(`${hash}: ${problem}: ${words.join(" ")}`);
}
if (wrong > 0) Deno.exit(1);
console.log(`commit subjects: ${commits.length}: ok`);

/** A shallow clone has only its newest commit. */
async function exists(revision: string): Promise<boolean> {
  return await run("git", ["rev-parse", "--verify", "--quiet", `${revision}^{commit}`], {
    cwd: root,
  }).then(() => true, () => false);
}
