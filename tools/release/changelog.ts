/** The first section of a changelog: `## 1.2.3 (2026-01-31)`, or `(unreleased)`. */
const SECTION = /^## (\S+) \(([^)]*)\)\n([\s\S]*?)(?=^## |$(?![\s\S]))/m;

/**
 * Sets the release date of the newest section of a changelog.
 *
 * @param text The changelog.
 * @param version Version to release.
 * @param date `YYYY-MM-DD`.
 * @throws {Error} If the newest section is about another version, was released already, or is
 * empty.
 */
export function datedChangelog(text: string, version: string, date: string): string {
  const [section, name, state, body] = SECTION.exec(text) ?? [];
  if (section === undefined) {
    throw new Error("CHANGELOG.md has no section like ## 1.2.3 (unreleased)");
  }
  if (name !== version) {
    throw new Error(`the newest section of CHANGELOG.md is ${name}, not ${version}`);
  }
  if (state !== "unreleased") throw new Error(`${version} was released on ${state}`);
  if (!/^- /m.test(body!)) throw new Error(`CHANGELOG.md says nothing of ${version}`);
  return text.replace(`## ${version} (unreleased)`, `## ${version} (${date})`);
}
