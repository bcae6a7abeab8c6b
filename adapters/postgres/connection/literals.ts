/** A value of a query. All but strings, numbers, booleans and null travel as JSON. */
export type Value = string | number | boolean | null;

/**
 * Returns a statement with its values inlined, for sessions that cannot prepare it. Every value is
 * a quoted literal, whose type PostgreSQL infers from the context, as for a parameter.
 *
 * @throws {RangeError} For text with NUL, which PostgreSQL refuses in parameters, too.
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
  // In E'…' a backslash means the same whatever standard_conforming_strings is. The space separates
  // the E from the text before it.
  return text.includes("\\") ? ` E${quoted.replaceAll("\\", "\\\\")}` : quoted;
}
