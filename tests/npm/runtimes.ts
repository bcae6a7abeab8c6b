import { run } from "../../tools/npm/run.ts";

/** Folder in which runtimes are kept between test runs, and between clones. */
const CACHE = new URL(
  `file://${
    Deno.env.get("XDG_CACHE_HOME") || `${Deno.env.get("HOME")}/.cache`
  }/taskcast/test-runtimes/`,
);

/** Returns Node in this major version: the machine's, or that of a package. */
export async function nodeOf(major: number): Promise<string> {
  const here = await versionOf("node");
  if (here?.startsWith(`v${major}.`)) return "node";
  return await installed("node", `${major}`, "node/bin/node");
}

/** Returns Bun from its package; `undefined` if it does not run. */
export async function bun(): Promise<string | undefined> {
  const program = await installed("bun", "1", "bun/bin/bun.exe");
  return await versionOf(program) === undefined ? undefined : program;
}

/** Returns workerd from its package; `undefined` if it does not run. */
export async function workerd(): Promise<string | undefined> {
  const architecture = Deno.build.arch === "aarch64" ? "arm64" : "64";
  const path = `@cloudflare/workerd-${Deno.build.os}-${architecture}/bin/workerd`;
  const program = await installed("workerd", "1", path);
  return await versionOf(program) === undefined ? undefined : program;
}

async function installed(name: string, version: string, path: string): Promise<string> {
  const folder = new URL(`${name}-${version}/`, CACHE);
  const program = new URL(`node_modules/${path}`, folder).pathname;
  if (await versionOf(program) !== undefined) return program;
  await Deno.mkdir(folder, { recursive: true });
  // The folder needs a name: npm installs no package into one of the same name.
  await Deno.writeTextFile(new URL("package.json", folder), '{ "name": "runtimes" }\n');
  await run("npm", ["install", "--no-audit", "--no-fund", `${name}@${version}`], { cwd: folder });
  return program;
}

async function versionOf(program: string): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command(program, { args: ["--version"] }).output();
    return success ? new TextDecoder().decode(stdout) : undefined;
  } catch {
    return undefined;
  }
}
