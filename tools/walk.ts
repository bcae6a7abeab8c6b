/** Yields the files below a folder as relative paths, without hidden ones and `node_modules`. */
export async function* walk(root: URL, prefix = ""): AsyncGenerator<string, void> {
  for await (const { name, isDirectory } of Deno.readDir(new URL(prefix, root))) {
    if (name.startsWith(".") || name === "node_modules") continue;
    if (isDirectory) yield* walk(root, `${prefix}${name}/`);
    else yield prefix + name;
  }
}
