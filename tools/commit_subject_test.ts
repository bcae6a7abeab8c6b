import assert from "node:assert/strict";
import { subjectProblem } from "./commit_subject.ts";

Deno.test("subjectProblem() takes a type, scopes, a mark for a breaking change, and what was done", () => {
  for (
    const subject of [
      "fix(adapters/redis): keep indexes gapless across a failover",
      "docs: one table of first steps",
      "feat(server,cli)!: refuse secrets shorter than 32 bytes",
    ]
  ) assert.equal(subjectProblem(subject), undefined, subject);
});

Deno.test("subjectProblem() says what is wrong with a subject", () => {
  for (
    const [subject, problem] of [
      ["Update readme", /does not read "type\(scope\): what"/],
      ["feature(core): a longer type", /with a type of feat, fix/],
      ["fix (core): a space before the scope", /does not read/],
      ["fix(Core): a capital in the scope", /does not read/],
      ["fix(core):no space", /does not read/],
      ["fix(core): ", /does not read/],
      ["fix(core): a sentence.", /ends with a period/],
      [`fix(core): ${"x".repeat(110)}`, /longer than 120 characters/],
    ] as const
  ) assert.match(subjectProblem(subject) ?? "", problem, subject);
});
