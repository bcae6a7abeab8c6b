const ROOT = new URL("../", import.meta.url);

/**
 * Bundles a module and its imports.
 *
 * @param entry The module.
 * @param platform Runtime of the bundle.
 * @returns The text of the file, without comments.
 */
export async function bundle(entry: URL, platform: "browser" | "deno"): Promise<string> {
  const file = await Deno.makeTempFile({ suffix: ".js" });
  try {
    const options = ["--quiet", "--minify", "--platform", platform, "--output", file];
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["bundle", ...options, entry.pathname],
      cwd: ROOT,
    }).output();
    if (!success) throw new Error(`deno bundle failed: ${new TextDecoder().decode(stderr)}`);
    return await Deno.readTextFile(file);
  } finally {
    await Deno.remove(file);
  }
}
