/** As much of jiti as is used. */
interface Loader {
  /** Imports a program in TypeScript, or an ES module wherever it is. */
  // deno-lint-ignore no-explicit-any
  import(url: string): Promise<any>;
  /** The URL that an import would load. */
  esmResolve(name: string): string;
}

/**
 * Makes what loads programs that Node does not.
 *
 * @param from The URL of the module that imports.
 */
export async function createLoader(from: string): Promise<Loader> {
  // Not a literal, so that Deno, which needs no such thing, does not download it.
  const name = "jiti";
  const { createJiti } = await import(name);
  return createJiti(from, { interopDefault: false });
}
