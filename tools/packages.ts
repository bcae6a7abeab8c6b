/** A package of the workspace. */
export interface Package {
  /** Name, e.g. `@taskcast/core`. */
  name: string;
  /** Version. */
  version: string;
  /** Folder, with a slash at the end. */
  folder: URL;
  /** Entry points, such as `.` and `./protocol`, and their files in the folder. */
  exports: Record<string, string>;
}

const ROOT = new URL("../", import.meta.url);

/** Returns the members of the workspace in order, and the umbrella package last. */
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
