/**
 * Escapes in a JSON text the characters that JSON allows in strings and that some readers take for the
 * end of a line: U+2028, U+2029 and U+0085, as Python's `splitlines()` does. The text says the same
 * before and after.
 *
 * @example
 * ```ts
 * import { escapeLineSeparators } from "@taskcast/core/protocol";
 * import assert from "node:assert/strict";
 *
 * assert.equal(escapeLineSeparators('"a\u2028b"'), '"a\\u2028b"');
 * ```
 */
export function escapeLineSeparators(json: string): string {
  // Looking for characters costs next to nothing; an expression costs as much as encoding the text.
  const has = json.includes("\u2028") || json.includes("\u2029") || json.includes("\u0085");
  return has ? json.replaceAll(/[\u0085\u2028\u2029]/g, escape) : json;
}

/** Writes a value as JSON in one line, for every reader of lines. */
export function toJsonLine(value: unknown): string {
  return escapeLineSeparators(JSON.stringify(value));
}

function escape(character: string): string {
  return "\\u" + character.charCodeAt(0).toString(16).padStart(4, "0");
}
