import type { EventFilter, SeriesFormat, Since } from "@taskcast/core/protocol";

/**
 * Returns a list as a query parameter.
 *
 * @param name Name of the option, for the error message.
 * @returns The parameter; `undefined` if the list is empty.
 * @throws {TypeError} If it is not a list.
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

/** A selection of a task's events. */
export interface EventsQuery {
  /** Only events that match. */
  filter?: EventFilter;
  /** Position to begin at. */
  since?: Since;
  /** Format of accumulate series. */
  seriesFormat?: SeriesFormat;
  /** Maximum number of events. */
  limit?: number;
}

/**
 * Returns the query parameters. @throws {TypeError} If the filter's types or levels are not a list.
 */
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
