import { isBuiltin } from "node:module";
import ts from "typescript";

/** Files of a package that its entry points reach. */
export interface ReachableFiles {
  /** Paths within the package: `mod.js`, `mod.d.ts`. */
  files: Set<string>;
  /** Packages that the files import. */
  packages: Set<string>;
}

/**
 * Follows imports from the entry points, in code and types. Other files that `deno pack` emitted
 * (tests, tools, copies of siblings) are not reached.
 *
 * @param entries Paths within the package.
 * @throws {Error} If an imported file is missing.
 */
export async function readReachable(
  folder: URL,
  entries: readonly string[],
): Promise<ReachableFiles> {
  const files = new Set<string>();
  const packages = new Set<string>();
  const waiting = [...entries];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (files.has(path)) continue;
    files.add(path);
    for (const specifier of importsIn(await readFile(folder, path))) {
      if (specifier.startsWith(".")) {
        const target = new URL(specifier, new URL(path, "file:///")).pathname.slice(1);
        waiting.push(path.endsWith(".d.ts") ? target.replace(/\.js$/, ".d.ts") : target);
      } else if (!isBuiltin(specifier)) packages.add(packageOf(specifier));
    }
  }
  return { files, packages };
}

/** Returns the package of a specifier: `@scope/name` for `@scope/name/sub/path`. */
export function packageOf(specifier: string): string {
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}

/** Returns the specifiers of imports, exports and `import()` in code and types, not in comments. */
export function importsIn(text: string): string[] {
  return ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName);
}

async function readFile(folder: URL, path: string): Promise<string> {
  try {
    return await Deno.readTextFile(new URL(path, folder));
  } catch (cause) {
    throw new Error(`${path} is imported, but was not packed`, { cause });
  }
}
