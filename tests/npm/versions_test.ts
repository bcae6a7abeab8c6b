import assert from "node:assert/strict";
import rootConfig from "../../deno.json" with { type: "json" };
import { VERSION as CLI_VERSION } from "../../cli/version.ts";
import { exampleFolders } from "../../tools/example_folders.ts";
import { VERSION as SERVER_VERSION } from "../../server/version.ts";

Deno.test("every package, and what the programs say of themselves, has one version", async () => {
  const { version } = rootConfig;
  for (const member of rootConfig.workspace) {
    const text = await Deno.readTextFile(new URL(`../../${member}/deno.json`, import.meta.url));
    assert.equal(JSON.parse(text).version, version, member);
  }
  for (const { name, dependencies } of await exampleFolders()) {
    for (const [dependency, range] of Object.entries(dependencies)) {
      if (dependency.startsWith("@taskcast/")) assert.equal(range, `^${version}`, name);
    }
  }
  assert.deepEqual([CLI_VERSION, SERVER_VERSION], [version, version]);
  const changelog = await Deno.readTextFile(new URL("../../CHANGELOG.md", import.meta.url));
  assert(changelog.includes(`## ${version}`), "the changelog has this version");
});
