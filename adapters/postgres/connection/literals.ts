/** A value of a query: everything but texts and numbers travels as JSON. */
export type Value = string | number | boolean | null;

/**
 * A statement with its values in it, for where it cannot be prepared. Every value is written as a text
 * between quotes, which PostgreSQL reads as it would a parameter: by what stands around it.
 *
 * @throws {RangeError} For a text with NUL, which PostgreSQL refuses as a parameter, too.
 */
export function withValues(text: string, values: readonly Value[]): string {
  if (values.length === 0) return text;
  return text.replace(/\$(\d+)/g, (_, number) => literal(values[Number(number) - 1]!));
}

function literal(value: Value): string {
  if (value === null) return "NULL";
  const text = String(value);
  if (text.includes("\0")) throw new RangeError("PostgreSQL takes no text with NUL");
  const quoted = `'${text.replaceAll("'", "''")}'`;
  // Within E'…' a backslash means the same whatever standard_conforming_strings says. The space keeps
  // the E from what is before it.
  return text.includes("\\") ? ` E${quoted.replaceAll("\\", "\\\\")}` : quoted;
}
