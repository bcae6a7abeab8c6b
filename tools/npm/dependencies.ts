import type { NpmSettings } from "./members.ts";

/** The parts of a `package.json` that say what else is needed. */
export interface Dependencies {
  dependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  peerDependenciesMeta?: Record<string, { optional: true }>;
}

/**
 * What a package needs: what its code or its types import, and what it says itself. Siblings are
 * wanted in the same version, or a compatible later one.
 *
 * @param imported Names of packages.
 * @param versions Of siblings and of packages on npm, by name.
 * @throws {Error} For a package of unknown version, and for an optional peer that is none.
 */
export function dependenciesOf(
  imported: Iterable<string>,
  { peerDependencies: peers = {}, optionalPeers = [], alsoNeeds = [] }: NpmSettings,
  versions: ReadonlyMap<string, string>,
): Dependencies {
  const needed = new Set([...imported, ...alsoNeeds]);
  const dependencies: Record<string, string> = {};
  for (const name of [...needed].sort()) {
    if (Object.hasOwn(peers, name)) continue;
    const version = versions.get(name);
    if (version === undefined) throw new Error(`"${name}" is imported, but has no version`);
    dependencies[name] = version;
  }
  const unknown = optionalPeers.find((name) => !Object.hasOwn(peers, name));
  if (unknown !== undefined) throw new Error(`"${unknown}" is optional, but no peer`);
  return {
    ...given("dependencies", dependencies),
    ...given("peerDependencies", peers),
    ...given(
      "peerDependenciesMeta",
      Object.fromEntries(optionalPeers.map((name) => [name, { optional: true as const }])),
    ),
  };
}

function given<T extends object>(key: string, entries: T): Record<string, T> {
  return Object.keys(entries).length === 0 ? {} : { [key]: entries };
}
