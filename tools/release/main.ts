// Releases a version: `deno task release 0.2.0` shows what it would do; with `--publish` it does it.
//
// Sets the version everywhere and the date in the changelog, checks everything, then publishes to JSR
// member by member (a named root would otherwise publish itself only) and to npm. Whoever runs it is
// logged in to both.
import { exampleFolders } from "../example_folders.ts";
import { COMMAND } from "../npm/command_package.ts";
import { packages } from "../packages.ts";
import { datedChangelog } from "./changelog.ts";
import { assertNext, withVersion } from "./versions.ts";

const ROOT = new URL("../../", import.meta.url);
const VERSION_FILES = ["server/version.ts", "cli/version.ts"];

const [version, ...flags] = Deno.args;
const publishes = flags.includes("--publish");
if (version === undefined || flags.some((flag) => flag !== "--publish")) {
  console.error("usage: deno task release VERSION [--publish]");
  Deno.exit(2);
}

try {
  const members = await packages();
  const names = [...members.map(({ name }) => name), COMMAND];
  const repository = await output("git", "remote", "get-url", "origin") || "<address of origin>";
  assertNext(members[0]!.version, version);
  const date = new Date().toISOString().slice(0, 10);
  const changes: [file: URL, text: string][] = [];
  for (const { folder } of members) {
    const file = new URL("deno.json", folder);
    changes.push([file, withVersion("deno.json", await Deno.readTextFile(file), version)]);
  }
  for (const path of VERSION_FILES) {
    const file = new URL(path, ROOT);
    changes.push([file, withVersion("version.ts", await Deno.readTextFile(file), version)]);
  }
  for (const { url } of await exampleFolders()) {
    const file = new URL("package.json", url);
    changes.push([file, withVersion("package.json", await Deno.readTextFile(file), version)]);
  }
  const changelog = new URL("CHANGELOG.md", ROOT);
  changes.push([changelog, datedChangelog(await Deno.readTextFile(changelog), version, date)]);

  const steps: [command: string[], folder: URL][] = [
    [["deno", "task", "ok"], ROOT],
    [["git", "commit", "--all", "--message", `Release ${version}`], ROOT],
    [["git", "tag", `v${version}`], ROOT],
    ...members.map(({ folder }): [string[], URL] => [["deno", "publish"], folder]),
    [["deno", "task", "npm", "--repository", repository], ROOT],
    ...names.map((name): [string[], URL] => [
      ["npm", "publish", "--access", "public", `dist/npm/${tarball(name, version)}`],
      ROOT,
    ]),
  ];
  if (!publishes) {
    console.log(`Would set ${version} in ${changes.length} files, dated ${date}, and then run:`);
    for (const [command, folder] of steps) console.log(`  ${place(folder)}$ ${command.join(" ")}`);
    Deno.exit(0);
  }
  if (repository.startsWith("<")) throw new Error("git has no remote origin for package.json");
  if (await output("git", "status", "--porcelain") !== "") {
    throw new Error("there are changes that are not committed");
  }
  for (const [file, text] of changes) await Deno.writeTextFile(file, text);
  for (const [command, folder] of steps) {
    console.log(`${place(folder)}$ ${command.join(" ")}`);
    await run(command, folder);
  }
} catch (error) {
  console.error(`release: ${(error as Error).message}`);
  Deno.exit(1);
}

/** What `npm pack` calls a package. */
function tarball(name: string, version: string): string {
  return `${name.replace("@", "").replace("/", "-")}-${version}.tgz`;
}

function place(folder: URL): string {
  return folder.pathname.slice(ROOT.pathname.length);
}

async function run([program, ...args]: string[], cwd: URL): Promise<void> {
  const { success, code } = await new Deno.Command(program!, { args, cwd, stdin: "inherit" })
    .spawn().status;
  if (!success) throw new Error(`${program} ${args.join(" ")} ended with ${code}`);
}

async function output(program: string, ...args: string[]): Promise<string> {
  const { stdout } = await new Deno.Command(program, { args, cwd: ROOT }).output();
  return new TextDecoder().decode(stdout).trim();
}
