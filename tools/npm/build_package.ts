import { bundle } from "../bundle.ts";
import { PUBLISHER } from "../publisher.ts";
import { bundleClient, CLIENT_BUNDLE_PATH, clientBundleFields } from "../bundle_client.ts";
import { dependenciesOf } from "./dependencies.ts";
import { FILL_INS, FILL_INS_CODE, fillIn } from "./fill_in.ts";
import type { Manifest } from "./manifest.ts";
import { filesOf, manifestOf } from "./manifest.ts";
import type { Member } from "./members.ts";
import { packageDocs } from "./package_docs.ts";
import { readReachable } from "./read_files.ts";
import { readme } from "./readme.ts";
import { run } from "./run.ts";
import { removeOthers } from "./remove_others.ts";

const LICENSE = new URL("../../LICENSE", import.meta.url);

/**
 * Builds the folder of a package for `npm pack`.
 *
 * @param target Folder to create.
 * @param versions Versions of siblings and of packages on npm, by name.
 */
export async function buildPackage(
  member: Member,
  target: URL,
  versions: ReadonlyMap<string, string>,
): Promise<void> {
  await unpack(member, target);
  await bundleModules(member, target);
  const entries = Object.values(member.exports).map(filesOf).flatMap(Object.values);
  const { files, packages } = await readReachable(
    target,
    entries.map((path) => path.replace("./", "")),
  );
  await removeOthers(target, files);
  await fillInFor(target, files);
  await closeTypes(target, files);

  const { main, others } = await packageDocs(member);
  const dependencies = dependenciesOf(without(packages, member.name), member.npm, versions);
  const manifest = manifestOf(member, main.summary, dependencies, PUBLISHER);
  if (member.npm.browserBundle) await addBundle(target, manifest);
  await Deno.writeTextFile(new URL("package.json", target), json(manifest));
  await Deno.writeTextFile(new URL("README.md", target), readme(member, main, others));
  await Deno.copyFile(LICENSE, new URL("LICENSE", target));
}

/** Adds the bundle for pages without a build step, and the fields that point to it. */
async function addBundle(target: URL, manifest: Manifest): Promise<void> {
  const { exports, ...fields } = clientBundleFields(manifest.types as string);
  Object.assign(manifest, fields, { exports: { ...manifest.exports as object, ...exports } });
  const file = new URL(CLIENT_BUNDLE_PATH, target);
  await Deno.mkdir(new URL(".", file), { recursive: true });
  await Deno.writeTextFile(file, await bundleClient());
}

/** Bundles the imports of some modules into them. */
async function bundleModules({ folder, npm }: Member, target: URL): Promise<void> {
  for (const [path, credits] of Object.entries(npm.bundled ?? {})) {
    const code = await bundle(new URL(path, folder), "deno");
    await Deno.writeTextFile(new URL(filesOf(path).default, target), `/*! ${credits} */\n${code}`);
  }
}

/** Returns the text of a JSON file. */
export function json(value: unknown): string {
  return JSON.stringify(value, undefined, 2) + "\n";
}

async function unpack({ folder }: Member, target: URL): Promise<void> {
  await Deno.mkdir(target, { recursive: true });
  const tarball = new URL("deno.tgz", target).pathname;
  const args = ["pack", "--allow-dirty", "--no-source-maps", "--output", tarball];
  await run(Deno.execPath(), args, { cwd: folder });
  await run("tar", ["-xzf", tarball, "--strip-components=1"], { cwd: target });
}

async function fillInFor(target: URL, files: ReadonlySet<string>): Promise<void> {
  let filledAny = false;
  for (const path of files) {
    if (!path.endsWith(".js")) continue;
    const file = new URL(path, target);
    const code = await Deno.readTextFile(file);
    const filled = fillIn(code, path);
    if (filled === code) continue;
    filledAny = true;
    await Deno.writeTextFile(file, filled);
  }
  if (filledAny) await Deno.writeTextFile(new URL(FILL_INS, target), FILL_INS_CODE);
}

/** Without this line TypeScript exports every declaration of a `.d.ts` file. */
async function closeTypes(target: URL, files: ReadonlySet<string>): Promise<void> {
  for (const path of files) {
    if (!path.endsWith(".d.ts")) continue;
    await Deno.writeTextFile(new URL(path, target), "\nexport {};\n", { append: true });
  }
}

function without(names: Iterable<string>, name: string): string[] {
  return [...names].filter((other) => other !== name);
}
