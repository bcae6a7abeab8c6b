import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { tempFolder } from "../../testing/temp_file.ts";
import { documents } from "../../testing/texts/markdown.ts";
import { run } from "../../tools/npm/run.ts";
import { asPublished } from "../../tools/release/as_published.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const all = await documents();

/** Returns the `deno.json` in the note of a guide, unless the packages are published and the note is gone. */
function linksIn(file: string): string | undefined {
  const { text, blocks } = all.find((document) => document.file === file)!;
  if (asPublished(text) === text) return undefined;
  const block = blocks.find(({ language, text }) => language === "json" && /"links"/.test(text));
  assert(block, `the note in ${file} shows a deno.json`);
  return block.text;
}

// Guides in different languages show the same file, which is tried once.
const GUIDES = ["docs/guides/deployment.md", "docs/guides/deployment.zh.md"];

for (const [links, files] of Map.groupBy(GUIDES, linksIn)) {
  if (links === undefined) continue;
  Deno.test(`${files.join(", ")}: a Deno program uses the packages of a clone, and requests none from a registry`, async () => {
    await using folder = await tempFolder({
      "deno.json": links.replace('"../taskcast"', JSON.stringify(ROOT)),
      "main.ts": [
        'import { MemoryShortTermStore } from "@taskcast/core";',
        'import { createTaskcastApp } from "@taskcast/server";',
        'import { Hono } from "hono";',
        "console.log(MemoryShortTermStore.name, createTaskcastApp.name, Hono.name);",
      ].join("\n"),
    });
    const out = await run(Deno.execPath(), ["run", "-A", "--check", "main.ts"], {
      cwd: folder.path,
      env: { JSR_URL: "http://127.0.0.1:9" },
    });
    assert.equal(out, "MemoryShortTermStore createTaskcastApp Hono\n");
  });
}
