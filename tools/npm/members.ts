import { type Package, packages } from "../packages.ts";

/** What a package says in its `deno.json` about its sibling on npm, where the code does not. */
export interface NpmSettings {
  /** Packages that the application brings, by name, with the versions that work. */
  peerDependencies?: Record<string, string>;
  /** Peers without which most of the package works. */
  optionalPeers?: string[];
  /** Packages that are loaded by a computed name, so that no import tells of them. */
  alsoNeeds?: string[];
  /** Commands, by name, and the entry points that they run, e.g. `./bin`. */
  bin?: Record<string, string>;
  /** Ships the whole package as one file for pages, too. */
  browserBundle?: boolean;
  /**
   * Modules that bring what they import along, so that it is no dependency: paths such as `./a.ts`, and
   * whose work is in them.
   */
  bundled?: Record<string, string>;
  /** Words to be found by, besides those of every package. */
  keywords?: string[];
}

/** A package of the workspace, with what only npm wants to know. */
export interface Member extends Package {
  license: string;
  npm: NpmSettings;
}

const ROOT = new URL("../../", import.meta.url);

/** Every package of the workspace. */
export async function readMembers(): Promise<Member[]> {
  return await Promise.all((await packages(ROOT)).map(async (member) => {
    const { license, npm = {} } = await readConfig(member.folder);
    return { ...member, license, npm };
  }));
}

/** The versions of packages on npm that the workspace is built with, by name. */
export async function readNpmVersions(): Promise<Map<string, string>> {
  const { imports } = await readConfig(ROOT);
  const versions = new Map<string, string>();
  for (const [key, specifier] of Object.entries(imports) as [string, string][]) {
    const [, name, version] = /^npm:\/?((?:@[^/]+\/)?[^@/]+)@([^/]+)\/?$/.exec(specifier) ?? [];
    // Another version of the same package has another key.
    if (name !== undefined && key.replace(/\/$/, "") === name) versions.set(name, version!);
  }
  return versions;
}

// deno-lint-ignore no-explicit-any
async function readConfig(folder: URL): Promise<any> {
  return JSON.parse(await Deno.readTextFile(new URL("deno.json", folder)));
}
