import assert from "node:assert/strict";
import { walk } from "../../tools/walk.ts";

// Compares every import of every file with the rules of ARCHITECTURE.md.

const ROOT = new URL("../../", import.meta.url);

/** Imports allowed for each folder besides itself; packages by name, `npm` for any from there. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  "core/protocol": [],
  "core/contracts": ["core/protocol"],
  "core/domain": ["core/protocol", "core/contracts"],
  "core/memory": ["core/protocol", "core/contracts", "core/domain"],
  "core/context": ["core/protocol", "core/contracts", "core/domain"],
  "core/readers": ["core/protocol", "core/contracts", "core/domain", "core/context"],
  "core/streams": [
    "core/protocol",
    "core/contracts",
    "core/domain",
    "core/context",
    "core/readers",
  ],
  "core/background": [
    "core/protocol",
    "core/contracts",
    "core/domain",
    "core/context",
    "core/readers",
  ],
  "core/engine": [
    "core/protocol",
    "core/contracts",
    "core/domain",
    "core/context",
    "core/readers",
    "core/streams",
    "core/background",
  ],
  "core/conformance": [
    "core/protocol",
    "core/contracts",
    "core/domain",
    "core/memory", // An archive is compared with the reference.
    "node:assert/strict",
  ],
  "core/config": ["core/protocol", "core/contracts", "core/context"],
  "core": [
    "core/config",
    "core/protocol",
    "core/contracts",
    "core/domain",
    "core/memory",
    "core/context",
    "core/streams",
    "core/background",
    "core/engine",
  ],
  "server": [
    "@taskcast/core",
    "@taskcast/core/protocol",
    "@taskcast/core/adapter",
    "@taskcast/core/config",
    "@taskcast/core/internal",
    "@taskcast/core/leases",
    "npm",
  ],
  "server/webhooks": [
    "@taskcast/core",
    "@taskcast/core/protocol",
    "@taskcast/core/adapter",
    "@taskcast/core/internal",
    "node:*",
  ],
  "clients/client": ["@taskcast/core/protocol"],
  "clients/react": [
    "@taskcast/core/protocol",
    "@taskcast/client",
    "@taskcast/client/http",
    "npm:react",
  ],
  "clients/server_sdk": ["@taskcast/core/protocol", "@taskcast/client/http"],
  "integrations/ai": [
    "@taskcast/core", // Types only, those of the other clients.
    "@taskcast/core/protocol",
    "@taskcast/client",
    "@taskcast/client/http",
    "@taskcast/server-sdk",
    "npm:eventsource-parser",
  ],
  "adapters/sqlite": [
    "@taskcast/core",
    "@taskcast/core/adapter",
    "@taskcast/core/protocol",
    "node:*",
  ],
  "adapters/redis": [
    "@taskcast/core",
    "@taskcast/core/adapter",
    "@taskcast/core/internal",
    "@taskcast/core/protocol",
    "node:*",
    "npm:ioredis",
  ],
  "adapters/postgres": [
    "@taskcast/core",
    "@taskcast/core/adapter",
    "@taskcast/core/protocol",
    "node:*",
    "npm:postgres",
  ],
  "adapters/deno_kv": ["@taskcast/core", "@taskcast/core/adapter", "@taskcast/core/protocol"],
  "integrations/sentry": ["@taskcast/core", "npm:@sentry/core", "node:process"],
  "cli": [
    "@taskcast/sentry",
    "@taskcast/sentry/start",
    "@taskcast/sqlite",
    "@taskcast/redis",
    "@taskcast/redis/address",
    "@taskcast/postgres",
    "@taskcast/postgres/address",
    "@taskcast/deno-kv",
    "@taskcast/core",
    "@taskcast/core/protocol",
    "@taskcast/core/adapter",
    "@taskcast/core/config",
    "@taskcast/core/internal",
    "@taskcast/server",
    "@taskcast/server/webhooks",
    "@taskcast/server/sse",
    "@taskcast/client",
    "@taskcast/client/http", // For routes that neither client has a method for.
    "@taskcast/server-sdk",
    "npm",
    "node:*",
  ],
};

interface Import {
  file: string;
  specifier: string;
}

async function importsOf(folder: string): Promise<Import[]> {
  const found: Import[] = [];
  for await (const path of walk(new URL(`${folder}/`, ROOT))) {
    if (!path.endsWith(".ts") || path.endsWith("_test.ts")) continue;
    const file = `${folder}/${path}`;
    const text = (await Deno.readTextFile(new URL(file, ROOT))).replaceAll(
      /^\s*(\*|\/\/).*$/gm,
      "",
    );
    for (const [, named, loaded] of text.matchAll(/\bfrom "([^"]+)"|\bimport\("([^"]+)"\)/g)) {
      found.push({ file, specifier: (named ?? loaded)! });
    }
  }
  return found;
}

/** The folder of {@linkcode MAY_IMPORT} that a file belongs to: the longest that fits. */
function folderOf(file: string): string {
  return Object.keys(MAY_IMPORT).filter((folder) => file.startsWith(`${folder}/`))
    .toSorted((a, b) => b.length - a.length)[0]!;
}

Deno.test("imports follow the order in ARCHITECTURE.md", async () => {
  const { workspace } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  const tops: string[] = workspace.map((member: string) => member.replace("./", ""));
  const all = (await Promise.all(tops.map(importsOf))).flat();
  assert(all.length > 300, `${all.length} imports`);
  for (const { file, specifier } of all) {
    const from = folderOf(file);
    const at = `${file} imports ${specifier}`;
    const allowed = MAY_IMPORT[from];
    assert(allowed, `${at}: MAY_IMPORT has no entry for its folder`);
    if (specifier.startsWith(".")) {
      const target = new URL(specifier, new URL(file, ROOT)).href.slice(ROOT.href.length);
      const to = folderOf(target);
      assert(to === from || allowed.includes(to), at);
    } else if (specifier.startsWith("node:")) {
      assert(allowed.includes("node:*") || allowed.includes(specifier), at);
    } else if (specifier.startsWith("@taskcast/")) {
      assert(allowed.includes(specifier), at);
    } else {
      assert(allowed.includes("npm") || allowed.includes(`npm:${specifier}`), at);
    }
  }
});

Deno.test("core uses no API of a single runtime", async () => {
  for await (const path of walk(new URL("core/", ROOT))) {
    if (!path.endsWith(".ts") || path.endsWith("_test.ts")) continue;
    const text = (await Deno.readTextFile(new URL(`core/${path}`, ROOT)))
      .replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
    if (path === "contracts/clock.ts") continue; // A timer there must not keep the process alive.
    for (const name of ["Deno", "process", "Buffer", "window", "Bun"]) {
      assert(!new RegExp(`\\b${name}\\.`).test(text), `core/${path} uses ${name}`);
    }
  }
});

/** Every TypeScript file of the repository. */
async function sourceFiles(): Promise<string[]> {
  const files: string[] = [];
  for await (const path of walk(ROOT)) {
    if (/\.tsx?$/.test(path) && !path.startsWith("dist/")) files.push(path);
  }
  return files;
}

Deno.test("imports form no circle, types included", async () => {
  const files = await sourceFiles();
  const imports = new Map<string, string[]>();
  for (const file of files) {
    const text = await Deno.readTextFile(new URL(file, ROOT));
    const specifiers = [...text.matchAll(/\b(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)].map(([, at]) =>
      at!
    );
    imports.set(
      file,
      specifiers.map((at) => new URL(at, new URL(file, ROOT)).href.slice(ROOT.href.length)),
    );
  }
  assert(files.length > 800, `${files.length} files`);
  assert.deepEqual(findCircle(imports), []);
});

Deno.test("commands that call a server load no engine and no schema of the configuration", async () => {
  const loaded = await loadedBy([
    "cli/main.ts",
    "cli/commands/logs.ts",
    "cli/commands/run/run.ts",
    "cli/commands/webhooks.ts",
  ]);
  const heavy = [...loaded].filter((name) => !/^(cli|clients|core\/protocol)\//.test(name));
  assert.deepEqual(heavy.filter((name) => !name.startsWith("node:")), ["commander"]);
  assert.deepEqual([...loaded].filter((name) => /^cli\/(config\/schema|server)\//.test(name)), []);
});

/** Returns the files and packages that files load when they are imported, without types. */
async function loadedBy(entries: readonly string[]): Promise<Set<string>> {
  const { workspace } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  const exported = new Map<string, string>();
  for (const member of workspace as string[]) {
    const folder = new URL(`${member}/`, ROOT);
    const { name, exports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", folder)));
    const paths = typeof exports === "string" ? { ".": exports } : exports;
    for (const [at, path] of Object.entries<string>(paths)) {
      exported.set(name + at.slice(1), new URL(path, folder).href.slice(ROOT.href.length));
    }
  }
  const loaded = new Set<string>();
  const visit = async (file: string): Promise<void> => {
    if (loaded.has(file)) return;
    loaded.add(file);
    if (!/\.tsx?$/.test(file)) return;
    const text = await Deno.readTextFile(new URL(file, ROOT));
    const imports = text.matchAll(/^(?:import|export) (?!type\b)(?:[^"';]*? from )?"([^"]+)";/gm);
    for (const [, specifier] of imports) {
      const isRelative = specifier!.startsWith(".");
      await visit(
        isRelative
          ? new URL(specifier!, new URL(file, ROOT)).href.slice(ROOT.href.length)
          : exported.get(specifier!) ?? specifier!,
      );
    }
  };
  for (const entry of entries) await visit(entry);
  return loaded;
}

/** Returns the files of one circle in the order of their imports, or none. */
function findCircle(imports: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): string[] => {
    if (done.has(file)) return [];
    const start = path.indexOf(file);
    if (start >= 0) return [...path.slice(start), file];
    path.push(file);
    for (const target of imports.get(file) ?? []) {
      const circle = visit(target);
      if (circle.length > 0) return circle;
    }
    path.pop();
    done.add(file);
    return [];
  };
  for (const file of imports.keys()) {
    const circle = visit(file);
    if (circle.length > 0) return circle;
  }
  return [];
}

Deno.test("findCircle() finds a circle and nothing else", () => {
  assert.deepEqual(findCircle(new Map([["a", ["b", "c"]], ["b", ["c"]], ["c", []]])), []);
  assert.deepEqual(findCircle(new Map([["a", ["b"]], ["b", ["c"]], ["c", ["b"]]])), [
    "b",
    "c",
    "b",
  ]);
});

/** Maximum number of files in one folder. */
const MAX_FILES = 25;

Deno.test("no folder has more than 25 files side by side", async () => {
  const counts = new Map<string, number>();
  for await (const path of walk(ROOT)) {
    const folder = path.slice(0, Math.max(0, path.lastIndexOf("/")));
    // Decisions are a numbered list that grows.
    if (path.startsWith("dist/") || folder === "docs/decisions") continue;
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  assert.deepEqual([...counts].filter(([, count]) => count > MAX_FILES), []);
});

/**
 * Maximum number of names that `@taskcast/core` exports. Later features get entry points of their
 * own.
 */
const MAX_EXPORTS = 60;

Deno.test("@taskcast/core exports few names, each by name", async () => {
  const text = await Deno.readTextFile(new URL("core/mod.ts", ROOT));
  assert.doesNotMatch(text, /^export (type )?\*/m);
  const names = [...text.matchAll(/^export (?:type )?\{([^}]*)\}/gm)]
    .flatMap(([, list]) =>
      list!.split(",").map((name) => name.trim()).filter((name) => name !== "")
    );
  assert(names.length > 30 && names.length <= MAX_EXPORTS, `${names.length} names`);
  for (const entry of ["adapter.ts", "internal.ts"]) {
    assert.doesNotMatch(
      await Deno.readTextFile(new URL(`core/${entry}`, ROOT)),
      /^export (type )?\*/m,
      entry,
    );
  }
});
