// Counts the doc comments that do not begin with their subject: "What …", "Whoever …", "Of …". Such
// comments have to be read twice. Prints the share for each folder, and fails above --max percent.
//
//   deno run -A tools/doc_comment_openings.ts [--list FOLDER] [--max 3]
import { parseArgs } from "node:util";
import { walk } from "./walk.ts";

const OPENINGS = /^(What|Who|Whoever|Whether|Of|Those)\b/;

const { values } = parseArgs({
  options: { list: { type: "string" }, max: { type: "string" } },
});
const root = new URL("../", import.meta.url);
const folders = new Map<string, { comments: number; wrong: number }>();
for await (const file of walk(root)) {
  if (!/\.tsx?$/.test(file) || file.includes("_generated_")) continue;
  const text = await Deno.readTextFile(new URL(file, root));
  for (const { opening, line } of docComments(text)) {
    const folder = file.split("/").slice(0, -1).slice(0, 2).join("/") || ".";
    const counts = folders.get(folder) ?? { comments: 0, wrong: 0 };
    folders.set(folder, counts);
    counts.comments++;
    if (!OPENINGS.test(opening)) continue;
    counts.wrong++;
    if (values.list !== undefined && file.startsWith(values.list)) {
      console.log(`${file}:${line}: ${opening}`);
    }
  }
}

const all = { comments: 0, wrong: 0 };
for (const { comments, wrong } of folders.values()) {
  all.comments += comments;
  all.wrong += wrong;
}
if (values.list === undefined && values.max === undefined) {
  for (const [folder, counts] of [...folders].sort(([, a], [, b]) => b.wrong - a.wrong)) {
    if (counts.wrong > 0) console.log(lineOf(folder, counts));
  }
}
console.log(lineOf("doc comments", all));
if (values.max !== undefined && share(all) > Number(values.max)) {
  console.error(`More than ${values.max} % begin with What, Who, Whoever, Whether, Of or Those.`);
  console.error("To see them: deno run -A tools/doc_comment_openings.ts --list FOLDER");
  Deno.exit(1);
}

/** The first line of text of each doc comment, and the number of that line. */
function* docComments(text: string): Generator<{ opening: string; line: number }> {
  for (const match of text.matchAll(/\/\*\*[ \n*]+([^\n]+)/g)) {
    const opening = match[1]!.replace(/\s*\*\/.*$/, "");
    const line = text.slice(0, match.index + match[0].length).split("\n").length;
    yield { opening, line };
  }
}

function share({ comments, wrong }: { comments: number; wrong: number }): number {
  return 100 * wrong / comments;
}

function lineOf(name: string, counts: { comments: number; wrong: number }): string {
  const { comments, wrong } = counts;
  return `${share(counts).toFixed(1).padStart(5)} %  ${wrong} of ${comments}  ${name}`;
}
