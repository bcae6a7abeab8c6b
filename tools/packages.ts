/** A package of the workspace. */
export interface Package {
  /** Its name, e.g. `@taskcast/core`. */
  name: string;
  /** Its version. */
  version: string;
  /** Its folder, with a slash at the end. */
  folder: URL;
  /** What can be imported: names such as `.` and `./protocol`, and their files in the folder. */
  exports: Record<string, string>;
}

const ROOT = new URL("../", import.meta.url);

/** All packages: the members of the workspace in their order, and the umbrella last. */
export async function packages(root: URL = ROOT): Promise<Package[]> {
  const { workspace } = await config(root);
  const folders = [...workspace!, "."].map((member) => new URL(`${member}/`, root));
  return await Promise.all(folders.map(async (folder) => {
    const { name, version, exports } = await config(folder);
    return {
      name,
      version,
      folder,
      exports: typeof exports === "string" ? { ".": exports } : exports,
    };
  }));
}

async function config(folder: URL): Promise<{
  name: string;
  version: string;
  exports: string | Record<string, string>;
  workspace?: string[];
}> {
  return JSON.parse(await Deno.readTextFile(new URL("deno.json", folder)));
}
