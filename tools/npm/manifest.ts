import type { Dependencies } from "./dependencies.ts";
import type { Publisher } from "../publisher.ts";
import { publisherFields } from "../publisher.ts";
import type { Member } from "./members.ts";

/** A `package.json`. */
export type Manifest = Record<string, unknown>;

/** Keywords of every package. */
const KEYWORDS = ["taskcast", "tasks", "sse", "streaming", "realtime"];

/** Oldest Node that the packages are tested with. */
export const OLDEST_NODE = ">=20";

/** Returns the `package.json` of a member. */
export function manifestOf(
  member: Member,
  description: string,
  dependencies: Dependencies,
  publisher: Publisher,
): Manifest {
  const { name, version, license, exports, npm: { bin, keywords = [] } } = member;
  const main = filesOf(exports["."]!);
  return {
    name,
    version,
    description,
    keywords: [...KEYWORDS, ...keywords],
    license,
    ...publisherFields(publisher, directoryOf(member)),
    type: "module",
    engines: { node: OLDEST_NODE },
    main: main.default,
    types: main.types,
    exports: {
      ...Object.fromEntries(Object.entries(exports).map(([at, path]) => [at, filesOf(path)])),
      "./package.json": "./package.json",
    },
    ...(bin === undefined ? {} : {
      bin: Object.fromEntries(
        Object.entries(bin).map(([command, at]) => [command, filesOf(exports[at]!).default]),
      ),
    }),
    ...dependencies,
  };
}

/** Returns the path in the package for the path of a source. */
export function filesOf(source: string): { types: string; default: string } {
  const base = source.replace(/\.tsx?$/, "");
  return { types: `${base}.d.ts`, default: `${base}.js` };
}

/** Returns the folder of a package in the repository; empty for the root. */
export function directoryOf({ folder }: Pick<Member, "folder">): string {
  const root = new URL("../../", import.meta.url);
  return folder.href.slice(root.href.length).replace(/\/$/, "");
}
