import { pathToFileURL } from "node:url";

/**
 * Loads a program of the user: a configuration or an adapter, in TypeScript on Node, too.
 *
 * @param path An absolute path.
 * @throws What the program throws.
 */
export async function loadModule(path: string): Promise<{ default?: unknown }> {
  const url = pathToFileURL(path).href;
  // Deno and Bun run TypeScript themselves. Node 20 does not, and later ones only part of it.
  if (!/\.[cm]?ts$/.test(path) || "Deno" in globalThis || "Bun" in globalThis) {
    return await import(url);
  }
  // Not a literal, so that Deno does not download it too.
  const name = "jiti";
  const { createJiti } = await import(name);
  return await createJiti(url, { interopDefault: false }).import(url);
}
