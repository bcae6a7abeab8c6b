import assert from "node:assert/strict";
import { cp } from "node:fs/promises";

// Downloads that are needed before a server first answers.

/** Packages that a server imports and that bring others with them. */
const IMPORTED = [
  "@hono/node-server",
  "@opentelemetry/api",
  "@sentry/core",
  "commander",
  "hono",
  "ioredis",
  "jose",
  "jsonc-parser",
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
  modules: {
    specifier: string;
    npmPackage?: string;
    dependencies?: { code?: { specifier: string }; isDynamic?: true }[];
  }[];
  redirects: Record<string, string>;
  /** Packages of the whole lock file. */
  npmPackages: Record<string, NpmPackage>;
}

async function run(args: string[], env: Record<string, string> = {}): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    env: { NO_COLOR: "1", ...env },
    cwd: new URL("../../", import.meta.url),
  }).output();
  const decoder = new TextDecoder();
  assert(success, decoder.decode(stderr));
  return decoder.decode(stdout);
}

/** Returns these packages and all that they depend on. */
function closure(ids: Iterable<string>, packages: Record<string, NpmPackage>): NpmPackage[] {
  const found = new Set(ids); // Entries added during the loop are visited, too.
  for (const id of found) packages[id]!.dependencies.forEach((dependency) => found.add(dependency));
  return [...found].map((id) => packages[id]!);
}

Deno.test("the command starts with its own packages, and needs none of the tests' packages", async () => {
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

Deno.test("a server that starts without a configuration file loads four packages, no more", async () => {
  const { modules, redirects, npmPackages } = JSON.parse(
    await run(["info", "--json", "cli/mod.ts"]),
  ) as ModuleGraph;
  const bySpecifier = new Map(modules.map((module) => [module.specifier, module]));
  // Modules that `taskcast start` imports on its way.
  const reached = new Set(
    ["cli/main.ts", "cli/commands/start.ts", "cli/listen/node_server.ts"]
      .map((file) => new URL(`../../${file}`, import.meta.url).href),
  );
  for (const specifier of reached) {
    for (const { code, isDynamic } of bySpecifier.get(specifier)?.dependencies ?? []) {
      if (code !== undefined && !isDynamic) {
        reached.add(redirects[code.specifier] ?? code.specifier);
      }
    }
  }
  const packages = [...reached].flatMap((specifier) => {
    const id = bySpecifier.get(specifier)?.npmPackage;
    return id === undefined ? [] : npmPackages[id]!.name;
  });
  // Without the packages for tokens, traces, metrics, YAML, Redis, PostgreSQL and Sentry.
  assert.deepEqual([...new Set(packages)].toSorted(), [
    "@hono/node-server",
    "commander",
    "hono",
    "zod",
  ]);
  const files = [...reached].map((specifier) => specifier.slice(specifier.lastIndexOf("/") + 1));
  assert(files.includes("engine.ts") && !files.includes("validate.ts"));
});
