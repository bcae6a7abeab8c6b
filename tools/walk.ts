/** The files below a folder, as paths relative to it, without those that are not ours. */
export async function* walk(root: URL, prefix = ""): AsyncGenerator<string, void> {
  for await (const { name, isDirectory } of Deno.readDir(new URL(prefix, root))) {
    if (name.startsWith(".") || name === "node_modules") continue;
    if (isDirectory) yield* walk(root, `${prefix}${name}/`);
    else yield prefix + name;
  }
}
