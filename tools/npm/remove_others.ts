import { walk } from "../walk.ts";

/** Removes all files except the given ones, and empty folders. */
export async function removeOthers(folder: URL, keep: ReadonlySet<string>): Promise<void> {
  for await (const path of walk(folder)) {
    if (!keep.has(path)) await Deno.remove(new URL(path, folder));
  }
  await removeEmpty(folder);
}

async function removeEmpty(folder: URL): Promise<boolean> {
  let isEmpty = true;
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (!isDirectory || !await removeEmpty(new URL(`${name}/`, folder))) isEmpty = false;
  }
  if (isEmpty) await Deno.remove(folder);
  return isEmpty;
}
