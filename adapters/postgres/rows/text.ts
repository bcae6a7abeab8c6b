/** A text as it stands between the quotes of JSON: any text can be kept so, and joined. */
export function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** The text that was escaped, perhaps in parts that were joined since. */
export function unescaped(text: string): string {
  return JSON.parse(`"${text}"`);
}

/** The data of an event that says nothing but a text in a field; the text is escaped. */
export function withText(field: string, text: string): string {
  return `{${JSON.stringify(field)}:"${text}"}`;
}
