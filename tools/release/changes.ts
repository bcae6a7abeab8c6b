import { exampleFolders } from "../example_folders.ts";
import type { Package } from "../packages.ts";
import { walk } from "../walk.ts";
import { asPublished } from "./as_published.ts";
import { datedChangelog } from "./changelog.ts";
import { withVersion } from "./versions.ts";

/** A file that a release changes. */
export interface FileChange {
  file: URL;
  before: string;
  after: string;
}

const ROOT = new URL("../../", import.meta.url);
const VERSION_FILES = ["server/version.ts", "cli/version.ts"];

/**
 * Returns the changed files that contain the version, or that say it is unreleased.
 *
 * @param date `YYYY-MM-DD`.
 * @throws {Error} If the changelog is about another version, or a file has no place for it.
 */
export async function changesOf(
  members: readonly Package[],
  version: string,
  date: string,
): Promise<FileChange[]> {
  const changes: FileChange[] = [];
  const change = async (file: URL, edit: (text: string) => string) => {
    const before = await Deno.readTextFile(file);
    const after = edit(before);
    if (after !== before) changes.push({ file, before, after });
  };
  for (const { folder } of members) {
    await change(new URL("deno.json", folder), (text) => withVersion("deno.json", text, version));
  }
  for (const path of VERSION_FILES) {
    await change(new URL(path, ROOT), (text) => withVersion("version.ts", text, version));
  }
  for (const { url } of await exampleFolders()) {
    const file = new URL("package.json", url);
    await change(file, (text) => withVersion("package.json", text, version));
  }
  await change(
    new URL("CHANGELOG.md", ROOT),
    (text) => datedChangelog(text, version, date),
  );
  for await (const path of walk(ROOT)) {
    if (path.endsWith(".md") && path !== "CHANGELOG.md") {
      await change(new URL(path, ROOT), asPublished);
    }
  }
  return changes;
}
