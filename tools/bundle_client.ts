// Bundles @taskcast/client for pages without a build step. `deno task bundle:client` writes the
// file to dist/; the npm package contains it, too.
import config from "../clients/client/deno.json" with { type: "json" };
import { bundle } from "./bundle.ts";

/** Path of the file in the npm package. */
export const CLIENT_BUNDLE_PATH = "dist/taskcast-client.min.js";

/**
 * Returns the fields of @taskcast/client's package.json about the file.
 *
 * @param types Declarations of the package's main module, e.g. `./mod.d.ts`.
 */
export function clientBundleFields(types: string): {
  exports: Record<string, { types: string; default: string }>;
  unpkg: string;
  jsdelivr: string;
} {
  const file = `./${CLIENT_BUNDLE_PATH}`;
  return {
    exports: { "./browser": { types, default: file } },
    unpkg: file,
    jsdelivr: file,
  };
}

/** Returns the client as the text of one module. */
export async function bundleClient(): Promise<string> {
  const notice = `/*! @taskcast/client ${config.version}, ${config.license} */\n`;
  return notice + await bundle(new URL("../clients/client/mod.ts", import.meta.url), "browser");
}

/** Returns the size of a text when gzipped. */
export async function gzippedBytes(text: string): Promise<number> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return (await new Response(stream).bytes()).length;
}

if (import.meta.main) {
  const text = await bundleClient();
  const target = new URL(`../${CLIENT_BUNDLE_PATH}`, import.meta.url);
  await Deno.mkdir(new URL(".", target), { recursive: true });
  await Deno.writeTextFile(target, text);
  console.log(
    `${CLIENT_BUNDLE_PATH}: ${text.length} characters, ${await gzippedBytes(text)} gzipped`,
  );
}
