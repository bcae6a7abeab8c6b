import assert from "node:assert/strict";
import { withValues } from "./literals.ts";

Deno.test("withValues() writes values so that nothing of them is read as SQL", () => {
  const cases: [text: string, values: (string | number | boolean | null)[], written: string][] = [
    ["SELECT 1", [], "SELECT 1"],
    ["SELECT $1, $2::int", ["a", 5], "SELECT 'a', '5'::int"],
    ["SELECT $2, $1, $2", ["a", "b"], "SELECT 'b', 'a', 'b'"],
    ["$1 $10", ["a", 0, 0, 0, 0, 0, 0, 0, 0, "j"], "'a' 'j'"],
    ["SELECT $1, $2", [null, true], "SELECT NULL, 'true'"],
    ["SELECT $1", ["it's"], "SELECT 'it''s'"],
    ["SELECT $1", ["'; DROP TABLE t; --"], "SELECT '''; DROP TABLE t; --'"],
    ["SELECT $1", ["\\'; --"], "SELECT  E'\\\\''; --'"],
    ["SELECT($1)", ['{"a":"\\n"}'], `SELECT( E'{"a":"\\\\n"}')`],
    // A value is not scanned for parameters, nor used as a replacement pattern.
    ["SELECT $1, $2", ["$2 $& $$", "x"], "SELECT '$2 $& $$', 'x'"],
  ];
  for (const [text, values, written] of cases) assert.equal(withValues(text, values), written);
});

Deno.test("withValues() refuses NUL, at which a statement would end", () => {
  assert.throws(() => withValues("SELECT $1", ["a\0b"]), RangeError);
});
