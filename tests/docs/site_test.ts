import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { llmsFull, llmsIndex } from "../../tools/site/llms.ts";
import { addressOf, sectionsOf } from "../../tools/site/navigation.ts";
import { readPages, withSiteLinks } from "../../tools/site/pages.ts";

// What `deno task site` makes of the documents, without VitePress, which fails on links that lead nowhere.

const ROOT = new URL("../../", import.meta.url);
const pages = await readPages();
const sections = sectionsOf(pages);

Deno.test("site: the navigation has each page once, under its title", () => {
  const listed = sections.flatMap((section) => section.pages);
  assert.deepEqual(listed.map(({ file }) => file).toSorted(), pages.map(({ file }) => file));
  for (const { title, file } of listed) assert(title.length > 1, file);
  const named = new Map(sections.map(({ title, pages }) => [title, pages.map(({ file }) => file)]));
  assert.equal(named.get("Tutorial")![0], "docs/tutorial/README.md");
  assert.equal(named.get("Tutorial")![1], "docs/tutorial/first-stream.md");
  assert.equal(named.get("Project")![0], "README.md");
  assert.equal(named.get("中文")!.length, 2);
});

Deno.test("site: links lead to pages of the site, or to files that are copied", () => {
  const paths = new Set(pages.map(({ path }) => path));
  assert.equal(paths.size, pages.length);
  let links = 0;
  for (const page of pages) {
    const { text, files } = withSiteLinks(page, pages);
    for (const file of files) assert(existsSync(new URL(file, ROOT)), `${page.file}: ${file}`);
    const prose = text.replaceAll(/^```.*?^```/gms, "");
    for (const [, target] of prose.matchAll(/\]\((?![a-z]+:)([^)\s]+)\)/g)) {
      if (/^(#|\/api\/$)/.test(target!)) continue;
      links++;
      const path = target!.split("#")[0]!.slice(1);
      const isThere = paths.has(path) || files.includes(path.replace(/^files\//, ""));
      assert(target!.startsWith("/") && isThere, `${page.file}: ${target}`);
    }
  }
  assert(links > 300, `${links} links`);
});

Deno.test("site: llms.txt lists every page with a description, and llms-full.txt has all texts", () => {
  const index = llmsIndex(sections, "Long-lived tasks that people watch");
  const full = llmsFull(sections);
  assert.match(index, /^# Taskcast\n\n> Long-lived tasks that people watch\n\n## /);
  for (const page of pages) {
    assert(index.includes(`- [${page.title}](${addressOf(page)}): `), page.file);
    assert(full.includes(page.text.trim()), page.file);
  }
});
