const EXAMPLES = new URL("../examples/", import.meta.url);

/** An example with a `package.json`. */
export interface ExampleFolder {
  /** Its path below `examples/`. */
  name: string;
  url: URL;
  /** Command of `npm start`. */
  start: string[];
  /** Dependencies and development dependencies with their ranges. */
  dependencies: Record<string, string>;
}

/** Returns the examples that have a `package.json`. */
export async function exampleFolders(): Promise<ExampleFolder[]> {
  const folders: ExampleFolder[] = [];
  for await (const { name, isDirectory } of Deno.readDir(EXAMPLES)) {
    const url = new URL(`${name}/`, EXAMPLES);
    const text = isDirectory && await textOf(new URL("package.json", url));
    if (!text) continue;
    const { scripts, dependencies, devDependencies } = JSON.parse(text);
    folders.push({
      name,
      url,
      start: scripts.start.split(" "),
      dependencies: { ...dependencies, ...devDependencies },
    });
  }
  return folders.toSorted((a, b) => a.name < b.name ? -1 : 1);
}

async function textOf(file: URL): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
