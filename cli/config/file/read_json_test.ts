import assert from "node:assert/strict";
import fc from "fast-check";
import { readJson } from "./read_json.ts";
import { SyntaxProblem } from "./syntax_problem.ts";

const PROBLEMS: [text: string, problem: string][] = [
  ["", "line 1, column 1: a value is expected here"],
  ["{", 'line 1, column 2: "," or "}" is expected here'],
  ['{"a": 1', 'line 1, column 8: "," or "}" is expected here'],
  ['{"a": [1', 'line 1, column 9: "," or "]" is expected here'],
  ['{"a": 1] ', 'line 1, column 8: "," or "}" is expected here'],
  ['{"a" 1}', 'line 1, column 6: ":" is expected here'],
  ['{"a":}', "line 1, column 6: a value is expected here"],
  ['{"a": yes}', "line 1, column 7: a value is expected here"],
  ['{"a": 01}', 'line 1, column 8: "," or "}" is expected here'],
  ['{"a": 1}\n{}', "line 2, column 1: the configuration should end here"],
  ["{'a': 1}", "line 1, column 2: a key in double quotes is expected here"],
  [",", "line 1, column 1: a value is expected here"],
  ["[,]", "line 1, column 2: a value is expected here"],
  [
    '{\n  "a": "b\n}',
    "line 2, column 8: this text is not closed, or has characters that must be escaped",
  ],
  [
    '{"a": "\\x"}',
    "line 1, column 7: this text is not closed, or has characters that must be escaped",
  ],
  ['{"a": 1} // b', "line 1, column 10: comments are not JSON"],
  [`${"[".repeat(101)}`, "line 1, column 101: nested too deeply"],
];

Deno.test("readJson() gives the position of a mistake, and nothing of the text", () => {
  for (const [text, message] of PROBLEMS) {
    assert.throws(() => readJson(text), (error) => {
      assert(error instanceof SyntaxProblem, text);
      assert.equal(error.message, message, text);
      return true;
    });
  }
  assert.deepEqual(readJson('\ufeff{"a": [1, -2.5e3, true, null, "\\u00e9"]} \r\n'), {
    a: [1, -2500, true, null, "é"],
  });
});

Deno.test("readJson() takes what JSON.parse() takes, and refuses the rest by its own words", () => {
  const json = fc.json({ maxDepth: 3 });
  const changed = fc.tuple(
    json,
    fc.nat(),
    fc.nat(3),
    fc.constantFrom(...'{}[]",:\\ \t\n-0.eE1tx/\u00a0'),
  )
    .map(([text, at, cut, character]) => {
      const start = at % (text.length + 1);
      return text.slice(0, start) + character + text.slice(start + cut);
    });
  fc.assert(
    fc.property(fc.oneof(json, changed), (text) => {
      let parsed: unknown;
      try {
        parsed = JSON.parse(text);
      } catch {
        return assert.throws(() => readJson(text), SyntaxProblem);
      }
      try {
        assert.deepEqual(readJson(text), parsed);
      } catch (error) {
        if (!(error instanceof SyntaxProblem)) throw error;
        assert.match(error.message, /this key is there twice/);
      }
    }),
    { numRuns: 5_000 },
  );
});
