/** The first section of a changelog: `## 1.2.3 (2026-01-31)`, or `(unreleased)`. */
const SECTION = /^## (\S+) \(([^)]*)\)\n([\s\S]*?)(?=^## |$(?![\s\S]))/m;

/**
 * Gives the newest section of a changelog the date of its release.
 *
 * @param text The changelog.
 * @param version The version that is released.
 * @param date `YYYY-MM-DD`.
 * @throws {Error} If its newest section is not about this version, was released already, or says
 * nothing.
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
