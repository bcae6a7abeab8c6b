import type { EventFilter, SeriesFormat, Since } from "@taskcast/core/protocol";

/**
 * Writes a list as a query parameter.
 *
 * @param name What callers know the list by, for the message.
 * @returns The parameter; `undefined` if nothing is listed.
 * @throws {TypeError} If it is no list.
 *
 * @example
 * ```ts
 * import { listParameter } from "@taskcast/client/http";
 * import assert from "node:assert/strict";
 *
 * assert.equal(listParameter("types", ["a", "b"]), "a,b");
 * ```
 */
export function listParameter(
  name: string,
  list: readonly string[] | undefined,
): string | undefined {
  if (list !== undefined && !Array.isArray(list)) {
    throw new TypeError(`${name} must be a list`);
  }
  return list?.join(",") || undefined;
}

/** Some of a task's events, as they are asked for. */
export interface EventsQuery {
  /** Only events that match. */
  filter?: EventFilter;
  /** Where to begin. */
  since?: Since;
  /** How accumulate series are told. */
  seriesFormat?: SeriesFormat;
  /** Events at most. */
  limit?: number;
}

/** Returns the query parameters. @throws {TypeError} If the filter's types or levels are no list. */
export function eventsParameters(
  { filter = {}, since = {}, seriesFormat, limit }: EventsQuery,
): Record<string, string | number | boolean | undefined> {
  return {
    types: listParameter("filter.types", filter.types),
    levels: listParameter("filter.levels", filter.levels),
    includeStatus: filter.includeStatus,
    "since.id": since.id,
    "since.index": since.index,
    "since.timestamp": since.timestamp,
    seriesFormat,
    limit,
  };
}
