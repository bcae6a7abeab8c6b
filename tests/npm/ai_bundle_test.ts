import assert from "node:assert/strict";
import { gzippedBytes } from "../../tools/bundle_client.ts";

const ROOT = new URL("../../", import.meta.url);
const ENTRY = "integrations/ai/transport.ts";

/** Files that a page may load. */
const MAY_HOLD = /^(integrations\/ai\/|clients\/client\/|core\/protocol\/)/;

/** Files of `integrations/ai` for servers. */
const SERVER_SIDE = /^integrations\/ai\/(tasks\/\w+|chunks\/pump|mod|chat|routes|response)\.ts$/;

async function deno(...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd: ROOT })
    .output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

Deno.test("ai transport: a page gets nothing of the server's side, and little besides", async () => {
  const { modules } = JSON.parse(await deno("info", "--json", ENTRY)) as {
    modules: { specifier: string; npmPackage?: string }[];
  };
  const files = modules.map(({ specifier }) => specifier.replace(ROOT.href, ""));
  const own = files.filter((file) => !file.startsWith("npm:"));
  assert(own.length > 5, "the files are found");
  assert.deepEqual(own.filter((file) => !MAY_HOLD.test(file) || SERVER_SIDE.test(file)), []);
  const packages = files.filter((file) => file.startsWith("npm:"));
  assert.deepEqual(packages.map((name) => /npm:\/?([\w-]+)@/.exec(name)?.[1]), [
    "eventsource-parser",
  ]);
  const bundle = await deno("bundle", "--quiet", "--minify", "--platform", "browser", ENTRY);
  const bytes = await gzippedBytes(bundle);
  assert(bytes < 6_000, `${bytes} bytes, gzipped`);
  assert.doesNotMatch(bundle, /\bimport\s*[{"'*(]/, "it imports nothing");
});
