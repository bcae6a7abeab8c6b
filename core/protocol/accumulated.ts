/**
 * Returns the value that an event contributes to an `accumulate` series: the string in a field of its
 * data, `null` if the field is `null`, and `undefined` if the data is not an object or the field holds
 * anything else. A string is appended; anything else replaces the accumulated value. Strings and
 * arrays do not count as objects here, although JavaScript finds fields in them.
 *
 * @param data The event's data, parsed.
 * @param field Name of the accumulated field.
 */
export function accumulatedValue(data: unknown, field: string): string | null | undefined {
  if (typeof data !== "object" || data === null || Array.isArray(data)) return undefined;
  const value = (data as Record<string, unknown>)[field];
  return typeof value === "string" || value === null ? value : undefined;
}
