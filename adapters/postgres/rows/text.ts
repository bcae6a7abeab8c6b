/** Returns the data of an event with nothing but a text in a field; the text is escaped. */
export function withText(field: string, text: string): string {
  return `{${JSON.stringify(field)}:"${text}"}`;
}
