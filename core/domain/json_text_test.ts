import assert from "node:assert/strict";
import { escapeJsonText, unescapeJsonText } from "./json_text.ts";

Deno.test("a text that was escaped in parts, even within a character, is whole again", () => {
  const parts = ['say "hi"\n', "\u0000 \\ \u2028 \ud83d", "\ude00 é"];
  const escaped = parts.map(escapeJsonText);
  assert.deepEqual(escaped.map(unescapeJsonText), parts);
  assert.equal(unescapeJsonText(escaped.join("")), parts.join(""));
  assert(escaped.every((part) => part.isWellFormed() && !part.includes("\n")));
});
