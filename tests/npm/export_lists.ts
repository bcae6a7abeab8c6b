import ts from "typescript";
import type { Member } from "../../tools/npm/members.ts";
import { filesOf } from "../../tools/npm/manifest.ts";
import { run } from "../../tools/npm/run.ts";

/** Names that an entry point exports, sorted, by the entry point: `@taskcast/core/protocol`. */
export type ExportLists = Record<string, string[]>;

/** Returns the exports of the packages on JSR. */
export async function exportsOnJsr(members: readonly Member[], root: URL): Promise<ExportLists> {
  const entries = new Map<string, string>();
  for (const { name, exports, folder } of members) {
    for (const [at, path] of Object.entries(exports)) {
      entries.set(new URL(path, folder).href, name + at.slice(1));
    }
  }
  const args = ["doc", "--json", ...[...entries.keys()].map((url) => new URL(url).pathname)];
  const { nodes } = JSON.parse(await run(Deno.execPath(), args, { cwd: root })) as {
    nodes: Record<string, { symbols?: DocSymbol[] }>;
  };
  const lists: ExportLists = {};
  for (const [url, { symbols = [] }] of Object.entries(nodes)) {
    const exported = symbols.filter(({ declarations }) =>
      declarations.some(({ declarationKind }) => declarationKind === "export")
    );
    lists[entries.get(url)!] = exported.map(({ name }) => name).sort();
  }
  return lists;
}

interface DocSymbol {
  name: string;
  declarations: { declarationKind: string }[];
}

/** Returns the exports of the packages on npm. */
export function exportsOnNpm(members: readonly Member[], modules: string): ExportLists {
  const entries = members.flatMap(({ name, exports }) =>
    Object.entries(exports).map(([at, path]) => ({
      entry: name + at.slice(1),
      file: `${modules}/${name}/${filesOf(path).types.slice(2)}`,
    }))
  );
  const program = ts.createProgram(entries.map(({ file }) => file), {
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    types: [],
  });
  const checker = program.getTypeChecker();
  return Object.fromEntries(entries.map(({ entry, file }) => {
    const symbol = checker.getSymbolAtLocation(program.getSourceFile(file)!);
    const names = symbol === undefined ? [] : checker.getExportsOfModule(symbol);
    return [entry, names.map(({ name }) => name).sort()];
  }));
}
