// Guards that no linter has: the direction of imports, the lock file, the size of files.
import { walk } from "./walk.ts";

const problems: string[] = [];

// What may import what: a folder may use what stands before it, and itself.
const ALLOWED: Record<string, readonly string[]> = {
  "core/protocol": [],
  "core/contracts": ["core/protocol"],
  "core/rules": ["core/protocol", "core/contracts"],
  "core/memory": ["core/protocol", "core/contracts", "core/rules"],
  "core/engine": ["core/protocol", "core/contracts", "core/rules"],
  "core/conformance": ["core/protocol", "core/contracts"],
  server: ["core"],
  clients: ["core/protocol"], // and each other
  cli: ["core", "server", "clients"],
};

const PACKAGES: Record<string, string> = {
  "@taskcast/core/protocol": "core/protocol/mod.ts",
  "@taskcast/core/conformance": "core/conformance/mod.ts",
  "@taskcast/core": "core/mod.ts",
  "@taskcast/server": "server/mod.ts",
  "@taskcast/client": "clients/client/mod.ts",
  "@taskcast/client/http": "clients/client/http.ts",
  "@taskcast/server-sdk": "clients/server_sdk/mod.ts",
};

const root = new URL("../", import.meta.url);

function placeOf(path: string): string | undefined {
  return Object.keys(ALLOWED).find((place) => path.startsWith(place + "/"));
}

for await (const path of walk(root)) {
  if (!path.endsWith(".ts") || path.endsWith("_test.ts")) continue;
  const place = placeOf(path);
  if (place === undefined) continue;
  const source = await Deno.readTextFile(new URL(path, root));
  for (const [, specifier] of source.matchAll(/^(?:import|export)\b[^;]*?from "([^"]+)";/gms)) {
    const target = specifier!.startsWith(".")
      ? new URL(specifier!, new URL(path, root)).href.slice(root.href.length)
      : PACKAGES[specifier!];
    if (target === undefined) {
      if (path.startsWith("core/") && !specifier!.startsWith("node:assert")) {
        problems.push(`${path}: core has no dependencies, but imports "${specifier}"`);
      }
      continue;
    }
    if (target.startsWith(place + "/")) continue;
    if (!ALLOWED[place]!.some((allowed) => target.startsWith(allowed + "/"))) {
      problems.push(`${path}: ${place} must not import ${target}`);
    }
  }
}

const lock = await Deno.readTextFile(new URL("deno.lock", root));
for (const word of ["tarball", "http:", "https:"]) {
  if (lock.includes(word)) problems.push(`deno.lock: contains "${word}"; it must name no registry`);
}

for (const problem of problems) console.error(problem);
if (problems.length > 0) Deno.exit(1);
console.log("guard: imports, lock file: ok");
