import { pathToFileURL } from "node:url";

/**
 * Loads a configuration that is a program: its default export, or what that returns if it is a
 * function.
 *
 * @throws What the program throws.
 */
export async function readModule(path: string): Promise<unknown> {
  const module = await load(path);
  if (!("default" in module)) throw new Error("it has no default export");
  const exported = await module.default;
  return typeof exported === "function" ? await exported() : exported;
}

async function load(path: string): Promise<{ default?: unknown }> {
  const url = pathToFileURL(path).href;
  // Deno and Bun run TypeScript themselves. Node 20 does not, and later ones only part of it.
  if (!path.endsWith(".ts") || "Deno" in globalThis || "Bun" in globalThis) {
    return await import(url);
  }
  // Not a literal, so that Deno does not download it too.
  const name = "jiti";
  const { createJiti } = await import(name);
  return await createJiti(url, { interopDefault: false }).import(url);
}
