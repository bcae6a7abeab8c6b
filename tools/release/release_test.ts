import assert from "node:assert/strict";
import { asPublished } from "./as_published.ts";
import { datedChangelog } from "./changelog.ts";
import { assertNext, withVersion } from "./versions.ts";

Deno.test("a release's section in the changelog gets its date", () => {
  const text =
    "# Changelog\n\n## 0.2.0 (unreleased)\n\n### Added\n\n- This.\n\n## 0.1.0 (2026-01-01)\n\n- That.\n";
  assert.equal(
    datedChangelog(text, "0.2.0", "2026-02-03"),
    text.replace("unreleased", "2026-02-03"),
  );
  const refused = (text: string, version: string, why: RegExp) =>
    assert.throws(() => datedChangelog(text, version, "2026-02-03"), why);
  refused(text, "0.3.0", /newest section of CHANGELOG.md is 0.2.0, not 0.3.0/);
  refused(text.replace("unreleased", "2026-01-09"), "0.2.0", /was released on 2026-01-09/);
  refused(text.replace("- This.", ""), "0.2.0", /says nothing of 0.2.0/);
  refused("# Changelog\n", "0.2.0", /has no section/);
});

Deno.test("a version must follow the one before; the first may be what it is", () => {
  for (const [current, next] of [["0.1.0", "0.1.1"], ["0.1.9", "0.2.0"], ["0.9.0", "1.0.0"]]) {
    assertNext(current!, next!);
    assert.throws(() => assertNext(next!, current!), /does not follow/);
  }
  assertNext("0.1.0", "0.1.0");
  assertNext("1.0.0-rc.1", "1.0.0");
  assert.throws(() => assertNext("0.1.0", "1.0"), /is no version/);
  assert.throws(() => assertNext("0.1.0", "v1.0.0"), /is no version/);
});

Deno.test("a version is written where there is one, and nowhere else", () => {
  assert.equal(
    withVersion(
      "deno.json",
      '{\n  "name": "a",\n  "version": "0.1.0",\n  "x": "0.1.0"\n}\n',
      "0.2.0",
    ),
    '{\n  "name": "a",\n  "version": "0.2.0",\n  "x": "0.1.0"\n}\n',
  );
  assert.equal(
    withVersion("version.ts", 'export const VERSION = "0.1.0";\n', "1.0.0-rc.1"),
    'export const VERSION = "1.0.0-rc.1";\n',
  );
  assert.equal(
    withVersion("package.json", '"@taskcast/core": "^0.1.0", "@taskcast/a-b": "^0.1.0"', "0.2.0"),
    '"@taskcast/core": "^0.2.0", "@taskcast/a-b": "^0.2.0"',
  );
  assert.throws(() => withVersion("deno.json", "{}", "1.0.0"), /no version/);
  assert.throws(() => withVersion("package.json", '"hono": "^4.13.0"', "1.0.0"), /no version/);
});

Deno.test("a document loses what it says of the time before the packages were published", () => {
  const text = "# A\n\n<!-- until published -->\n\nNot yet.\n\n<!-- /until published -->\n\nB\n";
  assert.equal(asPublished(`${text}\n${text}`), "# A\n\nB\n\n# A\n\nB\n");
});
