// Releases a version: `deno task release 0.2.0` shows the steps; with `--publish` it performs them.
// Sets the version everywhere and the date in the changelog, checks everything, then publishes to
// JSR member by member (a named root would publish only itself) and to npm. You must be logged in
// to both. The same command continues a release that was interrupted.
import { parseArgs } from "node:util";
import { COMMAND } from "../npm/command_package.ts";
import { packages } from "../packages.ts";
import { PUBLISHER, publisherProblems } from "../publisher.ts";
import { changesOf } from "./changes.ts";
import { isOnJsr, isOnNpm } from "./registries.ts";
import { npmPublish, release } from "./release.ts";
import type { Release, World } from "./release.ts";
import { assertNext } from "./versions.ts";

const ROOT = new URL("../../", import.meta.url);

/** Variables with the identity of a CI job, by which npm proves the origin of a package. */
const IDENTITIES = ["ACTIONS_ID_TOKEN_REQUEST_URL", "SIGSTORE_ID_TOKEN"];

const world: World = {
  async run(command, folder) {
    world.say(`${place(folder)}$ ${command.join(" ")}`);
    const [program, ...args] = command as [string, ...string[]];
    const { success, code } = await new Deno.Command(program, { args, cwd: folder }).spawn().status;
    if (!success) throw new Error(`${command.join(" ")} ended with ${code}`);
  },
  async output(program, ...args) {
    const { stdout } = await new Deno.Command(program!, { args, cwd: ROOT }).output();
    return new TextDecoder().decode(stdout).trim();
  },
  write: (file, text) => Deno.writeTextFile(file, text),
  isOnJsr,
  isOnNpm,
  say: (line) => console.log(line),
};

try {
  const { positionals: [version, ...more], values } = parseArgs({
    args: Deno.args,
    allowPositionals: true,
    options: {
      publish: { type: "boolean", default: false },
      "without-provenance": { type: "boolean", default: false },
    },
  });
  if (version === undefined || more.length > 0) {
    throw new Error("usage: deno task release VERSION [--publish] [--without-provenance]");
  }
  const members = await packages();
  assertNext(members[0]!.version, version);
  const date = new Date().toISOString().slice(0, 10);
  const what: Release = {
    version,
    root: ROOT,
    members,
    npmNames: [...members.map(({ name }) => name), COMMAND],
    changes: () => changesOf(members, version, date),
    provenance: IDENTITIES.some((name) => Deno.env.get(name)),
  };
  if (!values.publish) await show(what, date);
  else {
    const problems = publisherProblems(PUBLISHER).map((problem) =>
      `tools/publisher.json: ${problem}`
    );
    if (!what.provenance && !values["without-provenance"]) {
      problems.push(
        `nothing proves where the packages come from: release in a CI job with an identity ` +
          `(${IDENTITIES.join(" or ")}), or say --without-provenance`,
      );
    }
    if (problems.length > 0) throw new Error(problems.join("\n"));
    await release(what, world);
  }
} catch (error) {
  for (const line of (error as Error).message.split("\n")) console.error(`release: ${line}`);
  Deno.exit(1);
}

/** Prints the steps without performing them. */
async function show(what: Release, date: string): Promise<void> {
  const { version, members, npmNames } = what;
  const changes = await what.changes();
  console.log(`Would set ${version} in ${changes.length} files, dated ${date}, and then run:`);
  const steps: [command: string[], folder: URL][] = [
    [["deno", "task", "ok"], ROOT],
    [["git", "commit", "--all", "--message", `Release ${version}`], ROOT],
    [["git", "tag", `v${version}`], ROOT],
    ...members.map(({ folder }): [string[], URL] => [["deno", "publish"], folder]),
    [["deno", "task", "npm"], ROOT],
    ...npmNames.map((name): [string[], URL] => [npmPublish(name, what), ROOT]),
  ];
  for (const [command, folder] of steps) console.log(`  ${place(folder)}$ ${command.join(" ")}`);
}

function place(folder: URL): string {
  return folder.pathname.slice(ROOT.pathname.length);
}
