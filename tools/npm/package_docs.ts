import type { Member } from "./members.ts";
import type { ModuleDoc } from "./module_doc.ts";
import { moduleDoc } from "./module_doc.ts";

/** What the entry points of a package say of themselves. */
export interface PackageDocs {
  main: ModuleDoc;
  /** The others, by name: `./start`. */
  others: ReadonlyMap<string, ModuleDoc>;
}

/** Reads what the entry points of a package say of themselves. */
export async function packageDocs({ name, exports, folder }: Member): Promise<PackageDocs> {
  const docs = new Map<string, ModuleDoc>();
  for (const [at, path] of Object.entries(exports)) {
    docs.set(at, moduleDoc(await Deno.readTextFile(new URL(path, folder)), `${name} ${at}`));
  }
  const main = docs.get(".")!;
  docs.delete(".");
  return { main, others: docs };
}
