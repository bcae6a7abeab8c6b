// Builds every package for npm: a tarball each in `dist/npm`, or in the folder of `--out`.
//
// `deno pack` emits code and types; the rest of this folder adds what it leaves out.
import { parseArgs } from "node:util";
import { pathToFileURL } from "node:url";
import { buildCommandPackage, COMMAND } from "./command_package.ts";
import { buildPackage } from "./build_package.ts";
import { readMembers, readNpmVersions } from "./members.ts";
import { run } from "./run.ts";

const { values: { out } } = parseArgs({
  args: Deno.args,
  options: {
    out: { type: "string", default: new URL("../../dist/npm", import.meta.url).pathname },
  },
});

const members = await readMembers();
const versions = await readNpmVersions();
for (const { name, version } of members) versions.set(name, `^${version}`);

await Deno.remove(out, { recursive: true }).catch((error) => {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
});
await Deno.mkdir(out, { recursive: true });
const folders = await Deno.makeTempDir({ prefix: "taskcast-npm-" });
const folderOf = (name: string) => new URL(`${name}/`, `${pathToFileURL(folders).href}/`);
try {
  await Promise.all(
    members.map((member) => buildPackage(member, folderOf(member.name), versions)),
  );
  const cli = members.find(({ name }) => name === "@taskcast/cli")!;
  await buildCommandPackage(cli, folderOf(COMMAND));
  const names = [...members.map(({ name }) => name), COMMAND];
  const packed = await run("npm", [
    "pack",
    "--silent",
    "--pack-destination",
    out,
    ...names.map((name) => folderOf(name).pathname),
  ], { cwd: folders });
  console.log(packed.trimEnd());
} finally {
  await Deno.remove(folders, { recursive: true });
}
