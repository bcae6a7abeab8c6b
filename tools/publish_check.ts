// Runs `deno publish --dry-run` for all packages at once, which type-checks what they share only once.
// A named root is published alone, so this works on a copy of the repository in which the umbrella
// package is a member like the others.
import { dirname } from "node:path";
import { packages } from "./packages.ts";

/** Files that JSR shows beside the code. */
const SHOWN = ["README.md", "LICENSE"];

const ROOT = new URL("../", import.meta.url);
const UMBRELLA = "umbrella";

const copy = new URL(`file://${await Deno.realPath(await Deno.makeTempDir())}/`);
try {
  await copyRepository();
  await makeUmbrellaMember();
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["publish", "--dry-run", "--allow-dirty"],
    cwd: copy,
    env: { NO_COLOR: "1" },
  }).output();
  const listed = new TextDecoder().decode(stderr);
  if (!success) fail(listed);
  for (const { name, folder } of await packages()) {
    const copied = folder.href === ROOT.href
      ? new URL(`${UMBRELLA}/`, copy)
      : new URL(folder.href.slice(ROOT.href.length), copy);
    if (!listed.includes(`Simulating publish of ${name}@`)) fail(`${name} is not published`);
    const missing = SHOWN.filter((file) => !listed.includes(`${copied}${file} `));
    if (missing.length > 0) fail(`${name} has no ${missing.join(" and no ")}`);
    console.log(`publish ${name}: ok`);
  }
} finally {
  await Deno.remove(copy, { recursive: true });
}

/** Copies all files that git knows or would add. */
async function copyRepository(): Promise<void> {
  const { stdout } = await new Deno.Command("git", {
    args: ["ls-files", "--cached", "--others", "--exclude-standard", "-z"],
    cwd: ROOT,
  }).output();
  for (const path of new TextDecoder().decode(stdout).split("\0")) {
    if (path !== "") await copyFile(path, path);
  }
}

async function copyFile(from: string, to: string): Promise<void> {
  const target = new URL(to, copy).pathname;
  await Deno.mkdir(dirname(target), { recursive: true });
  try {
    await Deno.copyFile(new URL(from, ROOT), target);
  } catch (error) {
    // A file that was deleted and not yet removed from git's index.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Moves the package in the root into a folder of its own. */
async function makeUmbrellaMember(): Promise<void> {
  const url = new URL("deno.json", copy);
  const { name, version, license, exports, publish, ...root } = JSON.parse(
    await Deno.readTextFile(url),
  );
  root.workspace.push(`./${UMBRELLA}`);
  await Deno.writeTextFile(url, JSON.stringify(root));
  for (const file of publish.include) await copyFile(file, `${UMBRELLA}/${file}`);
  const member = JSON.stringify({ name, version, license, exports, publish });
  await Deno.writeTextFile(new URL(`${UMBRELLA}/deno.json`, copy), member);
}

function fail(problem: string): never {
  console.error(problem);
  throw new Error("The packages cannot be published as they are");
}
