import { isBuiltin } from "node:module";
import ts from "typescript";

/** The files of a package that can be reached from its entry points. */
export interface ReachableFiles {
  /** Paths within the package: `mod.js`, `mod.d.ts`. */
  files: Set<string>;
  /** Packages that they import. */
  packages: Set<string>;
}

/**
 * Follows imports from the entry points, in code and types. What `deno pack` took along besides
 * (tests, tools, copies of siblings) is not reached.
 *
 * @param entries Paths within the package.
 * @throws {Error} When something imports a file that is not there.
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

/** `@scope/name/sub/path` is of the package `@scope/name`. */
export function packageOf(specifier: string): string {
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}

/** Specifiers of imports, exports and `import()`, in types too; those in comments are none. */
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
