// Writes the public interface of every package to api/, one file each, so that reviewers see
// changes of it; with --check, lists files that are out of date.
import { packages } from "../packages.ts";
import { reportLines } from "./report.ts";

/** Entry points for our own server, without a promise of stability. */
const WITHOUT_PROMISE = ["./internal"];

const FOLDER = new URL("../../api/", import.meta.url);
const checks = Deno.args.includes("--check");

const members = await packages();
const entries = members.flatMap(({ name, folder, exports }) =>
  Object.entries(exports)
    .filter(([at]) => !WITHOUT_PROMISE.includes(at))
    .map(([at, file]) => ({ name, at, url: new URL(file, folder) }))
);
const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
  args: ["doc", "--json", ...entries.map(({ url }) => url.pathname)],
  env: { NO_COLOR: "1" },
}).output();
if (!success) throw new Error(new TextDecoder().decode(stderr));
const { nodes } = JSON.parse(new TextDecoder().decode(stdout));

const stale: string[] = [];
for (const { name } of members) {
  const sections = entries.filter((entry) => entry.name === name).map(({ at, url }) =>
    [`# ${name}${at.slice(1)}`, ...reportLines(nodes[url.href].symbols), ""].join("\n")
  );
  const file = `${name.split("/")[1]}.txt`;
  await compare(file, sections.join("\n"));
}
if (stale.length > 0) {
  console.error(`The public interface has changed: ${stale.join(", ")}; run: deno task generate`);
  Deno.exit(1);
}

async function compare(file: string, text: string): Promise<void> {
  const url = new URL(file, FOLDER);
  const before = await Deno.readTextFile(url).catch(() => undefined);
  if (before === text) return;
  if (checks) {
    stale.push(`api/${file}`);
    return;
  }
  await Deno.mkdir(FOLDER, { recursive: true });
  await Deno.writeTextFile(url, text);
}
