import assert from "node:assert/strict";
import { cp } from "node:fs/promises";

// What has to be downloaded before a server answers for the first time.

/** The packages that a server imports, and that bring others with them. */
const IMPORTED = [
  "@hono/node-server",
  "@hono/zod-openapi",
  "@opentelemetry/api",
  "@sentry/deno",
  "commander",
  "eventsource-parser",
  "hono",
  "ioredis",
  "jose",
  "postgres",
  "prom-client",
  "yaml",
  "zod",
];

interface NpmPackage {
  name: string;
  dependencies: string[];
  localPath: string;
}

interface ModuleGraph {
  modules: { npmPackage?: string }[];
  /** Of the whole lock file. */
  npmPackages: Record<string, NpmPackage>;
}

async function run(args: string[], env: Record<string, string> = {}): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    env: { NO_COLOR: "1", ...env },
    cwd: new URL("../", import.meta.url),
  }).output();
  const decoder = new TextDecoder();
  assert(success, decoder.decode(stderr));
  return decoder.decode(stdout);
}

/** The packages that these need, and themselves. */
function closure(ids: Iterable<string>, packages: Record<string, NpmPackage>): NpmPackage[] {
  const found = new Set(ids); // What is added while it is walked through is walked through, too.
  for (const id of found) packages[id]!.dependencies.forEach((dependency) => found.add(dependency));
  return [...found].map((id) => packages[id]!);
}

Deno.test("the command starts with what it imports, and needs nothing of what tests import", async () => {
  const { modules, npmPackages } = JSON.parse(
    await run(["info", "--json", "cli/mod.ts"]),
  ) as ModuleGraph;
  const imported = new Set(modules.flatMap(({ npmPackage }) => npmPackage ?? []));
  const names = new Set([...imported].map((id) => npmPackages[id]!.name));
  assert.deepEqual([...names].toSorted(), IMPORTED);

  const { npmCache } = JSON.parse(await run(["info", "--json"])) as { npmCache: string };
  const denoDir = await Deno.makeTempDir();
  try {
    for (const { localPath } of closure(imported, npmPackages)) {
      const copy = `${denoDir}/npm${localPath.slice(npmCache.length)}`;
      await cp(localPath, copy, { recursive: true });
    }
    const help = await run(["run", "-A", "--cached-only", "cli/mod.ts", "--help"], {
      DENO_DIR: denoDir,
    });
    assert.match(help, /^Usage: taskcast/);
  } finally {
    await Deno.remove(denoDir, { recursive: true });
  }
});
