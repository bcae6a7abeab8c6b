import assert from "node:assert/strict";
import { manifestOf } from "./npm/manifest.ts";
import { readMembers } from "./npm/members.ts";
import { type Publisher, publisherFields, publisherProblems } from "./publisher.ts";

const PUBLISHER: Publisher = {
  author: "Somebody <somebody@example.com>",
  repository: "https://code.example.com/somebody/taskcast",
  homepage: "https://taskcast.example.com",
  bugs: "https://code.example.com/somebody/taskcast/issues",
};
const NOBODY: Publisher = { author: null, repository: null, homepage: null, bugs: null };

Deno.test("every package names the publisher that is set in one place", async () => {
  for (const member of await readMembers()) {
    const { author, homepage, bugs, repository } = manifestOf(member, "", {}, PUBLISHER);
    assert.deepEqual([author, homepage], [PUBLISHER.author, PUBLISHER.homepage]);
    assert.deepEqual(bugs, { url: PUBLISHER.bugs });
    const { directory, ...source } = repository as Record<string, string>;
    assert.deepEqual(source, {
      type: "git",
      url: "git+https://code.example.com/somebody/taskcast.git",
    });
    const folder = new URL(`../${directory ?? ""}`, import.meta.url).href.replace(/\/?$/, "/");
    assert.equal(folder, member.folder.href);
  }
  assert.deepEqual(publisherFields(NOBODY, "core"), {});
});

Deno.test("a release names all of the publisher that is missing or wrong", () => {
  assert.deepEqual(publisherProblems(PUBLISHER), []);
  assert.deepEqual(publisherProblems(NOBODY), [
    "author is missing",
    "repository is missing",
    "homepage is missing",
    "bugs is missing",
  ]);
  for (const repository of ["git@code.example.com:a/b", "http://code.example.com/a/b"]) {
    assert.deepEqual(publisherProblems({ ...PUBLISHER, repository }), [
      "repository must be an address that begins with https://",
    ]);
  }
});
