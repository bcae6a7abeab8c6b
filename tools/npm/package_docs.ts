import type { Member } from "./members.ts";
import type { ModuleDoc } from "./module_doc.ts";
import { moduleDoc } from "./module_doc.ts";

/** Documentation of a package's entry points. */
export interface PackageDocs {
  main: ModuleDoc;
  /** Documentation of the other entry points, by name, such as `./start`. */
  others: ReadonlyMap<string, ModuleDoc>;
}

/** Reads the documentation of a package's entry points. */
export async function packageDocs({ name, exports, folder }: Member): Promise<PackageDocs> {
  const docs = new Map<string, ModuleDoc>();
  for (const [at, path] of Object.entries(exports)) {
    docs.set(at, moduleDoc(await Deno.readTextFile(new URL(path, folder)), `${name} ${at}`));
  }
  const main = docs.get(".")!;
  docs.delete(".");
  return { main, others: docs };
}
