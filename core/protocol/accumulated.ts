/**
 * The value that an event of an `accumulate` series brings: the string in a field of its data, `null`
 * where the field is `null`, and `undefined` where the data is no object or the field anything else.
 * A string is appended; all else replaces what there was. Strings and arrays are no objects here,
 * though JavaScript finds fields in them.
 *
 * @param data The event's data, parsed.
 * @param field The field that is appended.
 */
export function accumulatedValue(data: unknown, field: string): string | null | undefined {
  if (typeof data !== "object" || data === null || Array.isArray(data)) return undefined;
  const value = (data as Record<string, unknown>)[field];
  return typeof value === "string" || value === null ? value : undefined;
}
