import type { FileChange } from "./changes.ts";

/** Effects of a release: programs, files and registries. */
export interface World {
  /** Runs a program to its end; throws if it fails. */
  run(command: readonly string[], folder: URL): Promise<void>;
  /** Returns the output of a program, empty if it fails. */
  output(...command: string[]): Promise<string>;
  write(file: URL, text: string): Promise<void>;
  isOnJsr(name: string, version: string): Promise<boolean>;
  isOnNpm(name: string, version: string): Promise<boolean>;
  say(line: string): void;
}

/** Contents of a release. */
export interface Release {
  version: string;
  root: URL;
  /** Packages for JSR, dependencies first. */
  members: readonly { name: string; folder: URL }[];
  /** Packages for npm, dependencies first. */
  npmNames: readonly string[];
  /** Files to change first. */
  changes: () => Promise<readonly FileChange[]>;
  /** Proves to npm where and from what the packages were built. */
  provenance: boolean;
}

/**
 * Releases a version, or continues an interrupted release: steps that were committed, tagged or
 * published are skipped.
 *
 * @throws {Error} If a step fails; call it again when the cause is removed.
 */
export async function release(what: Release, world: World): Promise<void> {
  await commitAndTag(what, world);
  const { version, root, members, npmNames } = what;
  for (const { name, folder } of members) {
    if (await world.isOnJsr(name, version)) world.say(`${name} is on JSR`);
    else await world.run(["deno", "publish"], folder);
  }
  const left: string[] = [];
  for (const name of npmNames) {
    if (await world.isOnNpm(name, version)) world.say(`${name} is on npm`);
    else left.push(name);
  }
  if (left.length === 0) return;
  await world.run(["deno", "task", "npm"], root);
  for (const name of left) await world.run(npmPublish(name, what), root);
}

/** Returns the command that publishes a package to npm. */
export function npmPublish(
  name: string,
  { version, provenance }: Pick<Release, "version" | "provenance">,
): string[] {
  const tarball = `${name.replace("@", "").replace("/", "-")}-${version}.tgz`;
  const options = ["--access", "public", ...provenance ? ["--provenance"] : []];
  return ["npm", "publish", ...options, `dist/npm/${tarball}`];
}

async function commitAndTag({ version, root, changes }: Release, world: World): Promise<void> {
  const tag = `v${version}`;
  const head = await world.output("git", "rev-parse", "HEAD");
  const tagged = await world.output("git", "rev-parse", "--verify", "--quiet", `${tag}^{commit}`);
  if (await world.output("git", "status", "--porcelain") !== "") {
    throw new Error("there are changes that are not committed");
  }
  if (tagged !== "") {
    if (tagged !== head) throw new Error(`${tag} is another commit: check it out to go on with it`);
    world.say(`${tag} is here`);
    return;
  }
  const message = `Release ${version}`;
  if (await isCommitted(message, world)) {
    world.say(`"${message}" is committed`);
  } else {
    await changeAndCommit(await changes(), { message, root }, world);
  }
  await world.run(["git", "tag", tag], root);
}

async function changeAndCommit(
  changes: readonly FileChange[],
  { message, root }: { message: string; root: URL },
  world: World,
): Promise<void> {
  try {
    for (const { file, after } of changes) await world.write(file, after);
    await world.run(["deno", "task", "ok"], root);
    await world.run(["git", "commit", "--all", "--message", message], root);
  } catch (error) {
    if (await isCommitted(message, world)) throw error;
    for (const { file, before } of changes) await world.write(file, before);
    throw error;
  }
}

async function isCommitted(message: string, world: World): Promise<boolean> {
  return await world.output("git", "log", "-1", "--format=%s") === message;
}
