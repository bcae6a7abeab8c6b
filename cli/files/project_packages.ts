import { createRequire } from "node:module";
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { createLoader } from "./load_module.ts";

/**
 * Finds a package that the user installed. Under `npx`, `pnpm dlx` and in a global installation this
 * program lies elsewhere, and its own imports would not search the user's project.
 *
 * @param name The import specifier: `my-store`, `@me/store/plugin`.
 * @param folders Folders to search from, in order.
 * @returns The file that an import from there would load; `undefined` if there is no such package.
 */
export async function findPackage(
  name: string,
  folders: readonly string[],
): Promise<string | undefined> {
  for (const folder of folders) {
    const found = await findFrom(resolve(folder, "any_file.js"), name);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Returns the name on npm of a package that Deno calls `npm:my-store@1`. */
export function nameOnNpm(specifier: string): string {
  return specifier.replace(/^npm:\/?/, "").replace(/^((?:@[^/]+\/)?[^/@]+)@[^/]*/, "$1");
}

async function findFrom(file: string, name: string): Promise<string | undefined> {
  const { Bun } = globalThis as { Bun?: { resolveSync(name: string, from: string): string } };
  if (Bun !== undefined) return attempt(() => Bun.resolveSync(name, resolve(file, "..")));
  try {
    const forRequire = createRequire(file).resolve(name);
    if ("Deno" in globalThis) return forRequire;
  } catch (error) {
    // A package for `import` only exists, but offers nothing to `require`.
    const isThere = (error as { code?: unknown }).code === "ERR_PACKAGE_PATH_NOT_EXPORTED";
    if (!isThere || "Deno" in globalThis) return undefined;
  }
  const loader = await createLoader(pathToFileURL(file).href);
  const url = attempt(() => loader.esmResolve(name));
  return url === undefined ? undefined : fileURLToPath(url);
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
