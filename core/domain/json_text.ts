/**
 * Returns a text as it is written between the quotes of a JSON string. Texts in this form can be
 * concatenated, even in the middle of a surrogate pair, and stored where not every character can be.
 */
export function escapeJsonText(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** Returns the text of which this is the escaped form, which may be a concatenation. */
export function unescapeJsonText(escaped: string): string {
  return JSON.parse(`"${escaped}"`);
}
