import { type Package, packages } from "../packages.ts";

/** Settings in a package's `deno.json` for npm that cannot be derived from the code. */
export interface NpmSettings {
  /** Packages that the application provides, by name, with their ranges. */
  peerDependencies?: Record<string, string>;
  /** Peers that most of the package works without. */
  optionalPeers?: string[];
  /** Packages loaded by a computed name, which no import shows. */
  alsoNeeds?: string[];
  /** Commands by name, with their entry points, e.g. `./bin`. */
  bin?: Record<string, string>;
  /** Ships the package as one file for pages, too. */
  browserBundle?: boolean;
  /**
   * Modules whose imports are bundled into them and so are no dependencies: paths such as `./a.ts`,
   * and the owners of the bundled code.
   */
  bundled?: Record<string, string>;
  /** Keywords besides those of every package. */
  keywords?: string[];
}

/** A package of the workspace with its settings for npm. */
export interface Member extends Package {
  license: string;
  npm: NpmSettings;
}

const ROOT = new URL("../../", import.meta.url);

/** Returns every package of the workspace. */
export async function readMembers(): Promise<Member[]> {
  return await Promise.all((await packages(ROOT)).map(async (member) => {
    const { license, npm = {} } = await readConfig(member.folder);
    return { ...member, license, npm };
  }));
}

/** Returns the versions of npm packages that the workspace uses, by name. */
export async function readNpmVersions(): Promise<Map<string, string>> {
  const { imports } = await readConfig(ROOT);
  const versions = new Map<string, string>();
  for (const [key, specifier] of Object.entries(imports) as [string, string][]) {
    const [, name, version] = /^npm:\/?((?:@[^/]+\/)?[^@/]+)@([^/]+)\/?$/.exec(specifier) ?? [];
    // Other versions of the same package have other keys.
    if (name !== undefined && key.replace(/\/$/, "") === name) versions.set(name, version!);
  }
  return versions;
}

// deno-lint-ignore no-explicit-any
async function readConfig(folder: URL): Promise<any> {
  return JSON.parse(await Deno.readTextFile(new URL("deno.json", folder)));
}
