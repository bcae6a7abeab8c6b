// Makes of @taskcast/client one file for pages without a build step. `deno task bundle:client`
// writes it to dist/; the npm package takes it from here, too.
import config from "../clients/client/deno.json" with { type: "json" };
import { bundle } from "./bundle.ts";

/** Where the file is in the npm package. */
export const CLIENT_BUNDLE_PATH = "dist/taskcast-client.min.js";

/**
 * What package.json of @taskcast/client says of the file.
 *
 * @param types The declarations of the package's main module, e.g. `./mod.d.ts`.
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

/** The client as the text of one module. */
export async function bundleClient(): Promise<string> {
  const notice = `/*! @taskcast/client ${config.version}, ${config.license} */\n`;
  return notice + await bundle(new URL("../clients/client/mod.ts", import.meta.url), "browser");
}

/** Bytes of a text as servers send it. */
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
