/**
 * Returns a text as it stands between the quotes of JSON: any text can be stored so, and joined.
 */
export function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** Returns the original of an escaped text, which may have been joined from parts. */
export function unescaped(text: string): string {
  return JSON.parse(`"${text}"`);
}

/** Returns the data of an event with nothing but a text in a field; the text is escaped. */
export function withText(field: string, text: string): string {
  return `{${JSON.stringify(field)}:"${text}"}`;
}
