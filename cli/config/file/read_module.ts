import { loadModule } from "../../files/load_module.ts";

/**
 * Loads a configuration that is a program: its default export, or what that returns if it is a
 * function.
 *
 * @throws What the program throws.
 */
export async function readModule(path: string): Promise<unknown> {
  const module = await loadModule(path);
  if (!("default" in module)) throw new Error("it has no default export");
  const exported = await module.default;
  return typeof exported === "function" ? await exported() : exported;
}
