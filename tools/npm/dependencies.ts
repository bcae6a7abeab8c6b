import type { NpmSettings } from "./members.ts";

/** Dependencies of a `package.json`. */
export interface Dependencies {
  dependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  peerDependenciesMeta?: Record<string, { optional: true }>;
}

/**
 * Returns the dependencies of a package: those that its code or types import, and those that it
 * declares. Siblings have the same version, or a compatible later one.
 *
 * @param imported Names of packages.
 * @param versions Versions of siblings and of packages on npm, by name.
 * @throws {Error} If a version is unknown, or an optional peer is not a peer.
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
